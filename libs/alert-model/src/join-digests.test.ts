import { describe, expect, test } from 'vitest';
import { alertId, at, digestId } from '../fixtures/builders.ts';
import type { Effect } from './effects.ts';
import { joinDigests } from './join-digests.ts';

type Join = Extract<Effect, { type: 'JoinDigest' }>;
const join = (alert: number, changes: Partial<Join> = {}): Join => ({
  type: 'JoinDigest',
  alertId: alertId(alert),
  route: 'default',
  purpose: 'window',
  windowMs: 900_000,
  channels: ['email'],
  fallback: ['slack'],
  ...changes,
});
const ids = (): (() => ReturnType<typeof digestId>) => {
  let count = 0;
  return () => digestId((count += 1));
};

describe('joinDigests', () => {
  test('opens one digest for all news of a route; its window begins with the first', () => {
    const joined = joinDigests([join(1), join(2)], [], ids(), at(182));
    expect(joined.opened.map((event) => event.data)).toEqual([
      {
        digestId: digestId(1),
        route: 'default',
        purpose: 'window',
        channels: ['email'],
        fallback: ['slack'],
        dueAt: at(197),
      },
    ]);
    expect(joined.batched.map(({ alertId: id, event }) => [id, event.data])).toEqual(
      [1, 2].map((alert) => [
        alertId(alert),
        { digestId: digestId(1), route: 'default', purpose: 'window', dueAt: at(197) },
      ]),
    );
  });

  test('joins the open digest and keeps its end', () => {
    const open = [{ id: digestId(9), route: 'default', purpose: 'window' as const, dueAt: at(190) }];
    const joined = joinDigests([join(1)], open, ids(), at(182));
    expect(joined.opened).toEqual([]);
    expect(joined.batched[0]?.event.data).toMatchObject({ digestId: digestId(9), dueAt: at(190) });
  });

  test('keeps routes and purposes apart', () => {
    const joined = joinDigests(
      [join(1), join(1, { route: 'night' }), join(1, { purpose: 'lapse', windowMs: 0 })],
      [],
      ids(),
      at(182),
    );
    expect(joined.opened.map(({ data }) => [data.route, data.purpose, data.dueAt])).toEqual([
      ['default', 'window', at(197)],
      ['night', 'window', at(197)],
      ['default', 'lapse', at(182)],
    ]);
    expect(joined.batched).toHaveLength(3);
  });

  test('batches an alert once, however often it asked in the same transaction', () => {
    expect(joinDigests([join(1), join(1)], [], ids(), at(182)).batched).toHaveLength(1);
  });

  test('opens nothing for nothing', () => {
    expect(joinDigests([], [], ids(), at(182))).toEqual({ batched: [], opened: [] });
  });
});
