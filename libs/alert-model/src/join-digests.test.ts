import { describe, expect, test } from 'vitest';
import { alertId, at, digestId, monday, utcHours, window } from '../fixtures/builders.ts';
import type { JoinDigest } from './effects.ts';
import { joinDigests } from './join-digests.ts';
import type { JoinContext, OpenDigest, Storms } from './join-digests.ts';
import type { StormPolicy } from './policy.ts';

const join = (alert: number, changes: Partial<JoinDigest> = {}): JoinDigest => ({
  type: 'JoinDigest',
  alertId: alertId(alert),
  route: 'default',
  purpose: 'window',
  windowMs: 900_000,
  channels: ['email'],
  fallback: ['slack'],
  source: 'apple',
  opened: true,
  resolved: false,
  quietHours: [],
  breaksThrough: false,
  ofStorm: false,
  ...changes,
});
const ids = (): (() => ReturnType<typeof digestId>) => {
  let count = 0;
  return () => digestId((count += 1));
};
const calm: JoinContext = { hours: utcHours, storms: { storm: null, inStorm: () => null, lastStorm: new Map() } };
const digest = (changes: Partial<OpenDigest> = {}): OpenDigest => ({
  id: digestId(9),
  route: 'default',
  purpose: 'window',
  dueAt: at(190),
  channels: ['email'],
  ...changes,
});

describe('joinDigests', () => {
  test('opens one digest for all news of a route; its window begins with the first', () => {
    const joined = joinDigests([join(1), join(2)], [], ids(), at(182), calm);
    expect(joined.opened.map((event) => event.data)).toEqual([
      {
        digestId: digestId(1),
        route: 'default',
        purpose: 'window',
        channels: ['email'],
        fallback: ['slack'],
        dueAt: at(197),
        storm: null,
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
    const joined = joinDigests([join(1)], [digest()], ids(), at(182), calm);
    expect(joined.opened).toEqual([]);
    expect(joined.batched[0]?.event.data).toMatchObject({ digestId: digestId(9), dueAt: at(190) });
  });

  test('joins an open digest that ends later than news of now would: small differences of clocks open no second one', () => {
    const joined = joinDigests([join(1)], [digest({ dueAt: at(198) })], ids(), at(182), calm);
    expect(joined.opened).toEqual([]);
  });

  test('opens one of its own where the open digest is for others, or told much later than the news would be', () => {
    const others = joinDigests([join(1)], [digest({ channels: ['email', 'slack'] })], ids(), at(182), calm);
    expect(others.opened).toMatchObject([{ data: { channels: ['email'] } }]);
    const order = joinDigests(
      [join(1, { channels: ['slack', 'email'] })],
      [digest({ channels: ['email', 'slack'] })],
      ids(),
      at(182),
      calm,
    );
    expect(order.opened).toEqual([]);
    const levels = ['second', 'phone'].map((channel, index) =>
      join(index, { purpose: 'escalation', windowMs: 0, channels: [channel] }),
    );
    expect(joinDigests(levels, [], ids(), at(182), calm).opened).toHaveLength(2);
    const atOnce = joinDigests([join(1, { windowMs: 0 })], [digest()], ids(), at(182), calm);
    expect(atOnce.opened).toMatchObject([{ data: { dueAt: at(182) } }]);
  });

  test('keeps routes and purposes apart', () => {
    const joined = joinDigests(
      [
        join(1),
        join(1, { route: 'night' }),
        join(2, { purpose: 'lapse', windowMs: 0 }),
        join(3, { purpose: 'urgent', windowMs: 0 }),
        join(1, { purpose: 'escalation', windowMs: 0, channels: ['pager'] }),
      ],
      [],
      ids(),
      at(182),
      calm,
    );
    expect(joined.opened.map(({ data }) => [data.route, data.purpose, data.dueAt])).toEqual([
      ['default', 'window', at(197)],
      ['night', 'window', at(197)],
      ['default', 'lapse', at(182)],
      ['default', 'urgent', at(182)],
      ['default', 'escalation', at(182)],
    ]);
    expect(joined.batched).toHaveLength(5);
  });

  test('batches an alert once, however often it asked in the same transaction', () => {
    expect(joinDigests([join(1), join(1)], [], ids(), at(182), calm).batched).toHaveLength(1);
  });

  test('opens nothing for nothing', () => {
    expect(joinDigests([], [], ids(), at(182), calm)).toEqual({ batched: [], opened: [] });
  });
});

/** From ten at night to seven in the morning. */
const quietHours = [window(22 * 60, 7 * 60)];
const night = 182;
const evening = 21 * 60 + 50;
const morning = at(7 * 60);

describe('in quiet hours', () => {
  const wished = (changes: Partial<JoinDigest>, minutes: number, open: readonly OpenDigest[] = []) => {
    const { batched } = joinDigests([join(1, { quietHours, ...changes })], open, ids(), at(minutes), calm);
    const event = batched[0]?.event;
    return event?.type === 'AlertBatched' ? [event.data.purpose, event.data.dueAt] : [];
  };

  test.for<readonly [string, Partial<JoinDigest>, number, readonly [string, string]]>([
    ['news waits for their end', {}, night, ['window', morning]],
    ['so does news whose window ends in them', {}, evening, ['window', at(24 * 60 + 7 * 60)]],
    ['news whose window ends before them does not', {}, evening - 15, ['window', at(evening)]],
    ['what breaks through is told at once', { breaksThrough: true }, night, ['urgent', at(night)]],
    [
      'what breaks through waits for its window before them',
      { breaksThrough: true },
      evening,
      ['window', at(22 * 60 + 5)],
    ],
    ['the first of an alert waits as well', { purpose: 'urgent', windowMs: 0 }, night, ['window', morning]],
    [
      'the first of an alert breaks through where its severity does',
      { purpose: 'urgent', windowMs: 0, breaksThrough: true },
      night,
      ['urgent', at(night)],
    ],
    ['an escalation is told at once', { purpose: 'escalation', windowMs: 0 }, night, ['escalation', at(night)]],
    ['the end of a lease is told at once', { purpose: 'lapse', windowMs: 0 }, night, ['lapse', at(night)]],
  ])('%s', ([, changes, minutes, wish]) => {
    expect(wished(changes, minutes)).toEqual(wish);
  });

  test('on days that have none, nothing waits', () => {
    // The first of March 2026 was a Sunday: hours that begin on Sundays end on Monday morning.
    const sundays = [window(22 * 60, 7 * 60, 7)];
    expect(wished({ quietHours: sundays }, night)).toEqual(['window', morning]);
    expect(wished({ quietHours: sundays }, night + 24 * 60)).toEqual(['window', at(night + 24 * 60 + 15)]);
    expect(wished({ quietHours: sundays }, monday(1) + night)).toEqual(['window', at(monday(1) + 7 * 60)]);
  });

  test('what breaks through does not wait in a digest that does', () => {
    const open = [digest({ dueAt: at(24 * 60 + 7 * 60) })];
    expect(wished({ breaksThrough: true }, evening, open)).toEqual(['window', at(22 * 60 + 5)]);
    expect(wished({}, evening, open)).toEqual(['window', at(24 * 60 + 7 * 60)]);
  });
});

const policy: StormPolicy = { keys: 100, withinMs: 300_000, share: null, updateMs: 900_000 };
const storms = (changes: Partial<Storms> = {}): Storms => ({
  storm: policy,
  inStorm: (source) => (source === 'apple' ? { keys: 120, source: null } : null),
  lastStorm: new Map(),
  ...changes,
});
const soon = new Date(Date.parse(at(182)) + 2_000).toISOString();

describe('in a storm', () => {
  const joined = (joins: readonly JoinDigest[], changes: Partial<Storms> = {}, open: readonly OpenDigest[] = []) =>
    joinDigests(joins, open, ids(), at(182), { hours: utcHours, storms: storms(changes) });
  const places = (result: ReturnType<typeof joined>) =>
    result.batched.map(({ event }) => (event.type === 'AlertBatched' ? [event.data.purpose, event.data.dueAt] : []));

  test('what opens goes into one digest, which gathers for two seconds and says what it is', () => {
    const result = joined([join(1), join(2, { purpose: 'urgent', windowMs: 0 }), join(3)]);
    expect(places(result)).toEqual(Array.from({ length: 3 }, () => ['storm', soon]));
    expect(result.opened.map(({ data }) => data.storm)).toEqual([
      { keys: 120, withinMs: 300_000, source: null, threadId: null },
    ]);
  });

  test('other sources, news of other alerts, escalations and ends of leases go their own way', () => {
    const result = joined([
      join(1, { source: 'google' }),
      join(2, { opened: false }),
      join(3, { purpose: 'escalation', windowMs: 0 }),
      join(4, { purpose: 'lapse', windowMs: 0 }),
    ]);
    expect(places(result).map(([purpose]) => purpose)).toEqual(['window', 'window', 'escalation', 'lapse']);
  });

  test('the next message waits until the update is due, and goes on in the same conversation', () => {
    const lastStorm = new Map([['default', { sealedAt: at(175), threadId: digestId(5) }]]);
    const result = joined([join(1)], { lastStorm });
    expect(places(result)).toEqual([['storm', at(190)]]);
    expect(result.opened[0]?.data.storm).toMatchObject({ threadId: digestId(5) });
    expect(
      places(joined([join(1)], { lastStorm: new Map([['default', { sealedAt: at(100), threadId: digestId(5) }]]) })),
    ).toEqual([['storm', soon]]);
  });

  test('what became of its alerts belongs to it while it goes on, and to nobody when it is long over', () => {
    const resolved = join(1, { opened: false, resolved: true, ofStorm: true, source: 'google' });
    const lastStorm = new Map([['default', { sealedAt: at(175), threadId: digestId(5) }]]);
    const result = joined([resolved], { lastStorm });
    expect(places(result)).toEqual([['storm', at(190)]]);
    expect(result.opened[0]?.data.storm).toEqual({ keys: 0, withinMs: 300_000, source: null, threadId: digestId(5) });
    expect(places(joined([resolved]))).toEqual([['window', at(197)]]);
    expect(places(joined([resolved], { lastStorm, storm: null }))).toEqual([['window', at(197)]]);
  });

  test('a route that is about to send a digest needs no second one', () => {
    const lastStorm = new Map([['default', { sealedAt: at(181), threadId: digestId(5) }]]);
    const result = joined([join(1)], { lastStorm }, [digest({ dueAt: at(190) })]);
    expect(result.opened).toEqual([]);
    expect(places(result)).toEqual([['window', at(190)]]);
    expect(places(joined([join(1)], {}, [digest({ dueAt: at(190) })]))).toEqual([['storm', soon]]);
  });

  test('joins the digest that is open, also when it was due a moment later', () => {
    const open = [digest({ purpose: 'storm', dueAt: at(182.5) })];
    expect(joined([join(1), join(2)], {}, open).opened).toEqual([]);
  });

  test('in quiet hours it waits for their end, but for what breaks through', () => {
    const first = joined([join(1, { quietHours })]);
    expect(places(first)).toEqual([['storm', morning]]);
    const open = [digest({ purpose: 'storm', dueAt: morning })];
    const loud = joined([join(2, { quietHours, breaksThrough: true }), join(3, { quietHours })], {}, open);
    expect(loud.opened).toHaveLength(1);
    expect(places(loud)).toEqual([
      ['storm', soon],
      ['storm', soon],
    ]);
  });
});
