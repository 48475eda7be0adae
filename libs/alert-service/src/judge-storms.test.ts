import { DigestId } from '@tocsin/alert-model';
import type { JoinDigest, StormPolicy } from '@tocsin/alert-model';
import { describe, expect, test } from 'vitest';
import { judgeStorms, stormsOf } from './judge-storms.ts';

const storm: StormPolicy = { keys: 50, withinMs: 300_000, share: 0.5, updateMs: 900_000 };
const now = '2026-03-02T03:00:00.000Z';
const keys = (counts: Readonly<Record<string, number>>) => new Map(Object.entries(counts));

describe('a storm', () => {
  test('is more new keys than the limit, of one source or of several', () => {
    expect(stormsOf(storm, keys({ apple: 50 }), new Map())('apple')).toBeNull();
    expect(stormsOf(storm, keys({ apple: 51 }), new Map())('apple')).toEqual({ keys: 51, source: 'apple' });
    const several = stormsOf(storm, keys({ apple: 30, shop: 21 }), new Map());
    expect(several('apple')).toEqual({ keys: 51, source: null });
    // One more of a third source is part of it.
    expect(several('bank')).toEqual({ keys: 51, source: null });
  });

  test.each([
    { caption: 'more than half of what ended', own: 12, fine: 11, found: true },
    { caption: 'just half of it', own: 12, fine: 12, found: false },
    { caption: 'most of too few', own: 9, fine: 0, found: false },
    { caption: 'ten of ten', own: 10, fine: 0, found: true },
  ])('of a source is $caption: $found', ({ own, fine, found }) => {
    const judge = stormsOf(storm, keys({ apple: own, shop: 1 }), keys({ apple: fine }));
    expect(judge('apple')).toEqual(found ? { keys: own, source: 'apple' } : null);
    expect(judge('shop')).toBeNull();
  });

  test('of a source is not judged where nobody knows what succeeded, or nobody asks', () => {
    expect(stormsOf(storm, keys({ apple: 40 }), new Map())('apple')).toBeNull();
    expect(stormsOf({ ...storm, share: null }, keys({ apple: 40 }), keys({ apple: 0 }))('apple')).toBeNull();
  });

  test('is none of what Tocsin says of itself', () => {
    expect(stormsOf(storm, keys({ apple: 100 }), new Map())('tocsin')).toBeNull();
  });
});

describe('judging', () => {
  const join = (over: Partial<JoinDigest> = {}): JoinDigest => ({
    type: 'JoinDigest',
    alertId: '00000000-0000-4000-8000-000000000001' as JoinDigest['alertId'],
    route: 'default',
    purpose: 'window',
    windowMs: 0,
    channels: ['email'],
    fallback: [],
    source: 'apple',
    opened: true,
    resolved: false,
    quietHours: [],
    breaksThrough: false,
    ofStorm: false,
    ...over,
  });
  const session = (counts: Readonly<Record<string, number>>) => {
    const asked: unknown[] = [];
    return {
      asked,
      keysOpenedSince: async (since: string, limit: number) => {
        asked.push(['keys', since, limit]);
        return keys(counts);
      },
      stormDigestsSince: async (since: string) => {
        asked.push(['digests', since]);
        return [];
      },
    };
  };
  const judge = (store: ReturnType<typeof session>, joins: readonly JoinDigest[], opening: readonly string[] = []) =>
    judgeStorms({ storm }, store, now, { joins, opening, successes: new Map() });

  test('asks nothing while nothing opens, and nothing for what Tocsin says of itself', async () => {
    const store = session({});
    expect((await judge(store, [join({ opened: false }), join({ source: 'tocsin' })])).storm).toBeNull();
    expect(store.asked).toEqual([]);
  });

  test('counts what is on record and what this transaction opens, without its own', async () => {
    const store = session({ apple: 48, tocsin: 40 });
    const judged = await judge(store, [join()], ['apple', 'shop', 'apple', 'tocsin']);
    expect(judged.inStorm('apple')).toEqual({ keys: 51, source: null });
    expect(store.asked).toEqual([
      ['keys', '2026-03-02T02:55:00.000Z', 51],
      ['digests', '2026-03-02T02:40:00.000Z'],
    ]);
  });

  test('knows the conversation of the storm before, also for what became of it', async () => {
    const threadId = DigestId.parse('00000000-0000-4000-8000-000000000002');
    const digest = { id: threadId, route: 'default', sealedAt: now, storm: null };
    const store = { ...session({}), stormDigestsSince: async () => [digest] as never };
    const judged = await judge(store, [join({ opened: false, ofStorm: true })]);
    expect(judged.lastStorm.get('default')).toEqual({ sealedAt: now, threadId });
  });
});
