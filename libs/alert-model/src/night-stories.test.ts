import { describe, expect, test } from 'vitest';
import {
  alertId,
  at,
  begins,
  ends,
  everything,
  failure,
  jobsPolicy,
  repairs,
  silence,
  success,
  window,
} from '../fixtures/builders.ts';
import { createHouse } from '../fixtures/house.ts';
import type { House } from '../fixtures/house.ts';
import type { AlertState } from './alert-state.ts';
import { decideAcknowledge } from './decide-acknowledge.ts';
import type { Lease } from './event.ts';
import type { Policy, RoutePolicy } from './policy.ts';

const hour = 60;
const day = 24 * hour;
const route = (changes: Partial<RoutePolicy>): Policy => ({
  ...jobsPolicy,
  routes: [{ ...everything, escalation: null, ...changes }],
});
const quiet = route({});
const alertOf = (house: House, number = 1): AlertState => house.alerts.get(alertId(number)) as AlertState;
const acknowledge = (house: House, lease: Lease, now: string, by = 'ann'): void =>
  house.record(
    alertId(1),
    decideAcknowledge(alertOf(house), { by, via: 'console', lease, note: null }, now).events,
    now,
  );
/** What was sent: when, to whom, and how it begins. */
const told = (house: House, from = 0): readonly string[] =>
  house.sent
    .slice(from)
    .map(({ channel, message }) => `${message.composedAt.slice(11, 16)} ${channel}: ${message.headline}`);
const kinds = (house: House): readonly string[] => house.sent.map(({ message }) => message.items[0]?.kind ?? 'none');
const failsAt = (house: House, ...minutes: readonly number[]): void => {
  for (const minute of minutes) {
    house.waitUntil(at(minute));
    house.take([failure({ failedAt: at(minute) })], at(minute));
  }
};
const succeedsAt = (house: House, minute: number): void => {
  house.waitUntil(at(minute));
  house.take([success({ finishedAt: at(minute) })], at(minute));
};

describe('escalation', () => {
  const ladder = route({
    escalation: {
      name: 'nights',
      levels: [
        { afterMs: 30 * 60_000, channels: ['second'], severities: null },
        { afterMs: 60 * 60_000, channels: ['phone'], severities: ['critical'] },
      ],
      repeat: { everyMs: 120 * 60_000, times: 2 },
    },
  });

  test('(13) goes up the ladder, names what was told before and to whom, and ends', () => {
    const house = createHouse({ ...ladder, rules: [{ name: 'r', match: {}, severity: 'critical' }] });
    failsAt(house, 182);
    house.waitUntil(at(3 * day));
    expect(house.sent.map(({ channel, message }) => [channel, message.composedAt.slice(11, 16)])).toEqual([
      ['email', '03:17'],
      ['second', '03:47'],
      ['phone', '04:17'],
      ['second', '06:17'],
      ['phone', '06:17'],
      ['second', '08:17'],
      ['phone', '08:17'],
    ]);
    expect(house.sent[4]?.message.items[0]?.escalation).toMatchObject({
      level: 3,
      repeat: 1,
      toldBefore: [
        { channel: 'email', at: at(197) },
        { channel: 'second', at: at(3 * hour + 47) },
        { channel: 'phone', at: at(4 * hour + 17) },
      ],
    });
  });

  test('(13) tells a level of the worst only when it gets that bad', () => {
    const worse: Policy = {
      ...ladder,
      rules: [{ name: 'r', match: { kind: ['dead'] }, severity: 'critical' }],
    };
    const house = createHouse(worse);
    failsAt(house, 182);
    house.waitUntil(at(5 * hour));
    expect(house.sent.map(({ channel }) => channel)).toEqual(['email', 'second']);
    house.take([failure({ kind: 'dead', failedAt: at(5 * hour) })], at(5 * hour));
    house.waitUntil(at(5 * hour + 15));
    expect(house.sent.slice(2).map(({ channel, message }) => [channel, message.items[0]?.kind])).toEqual([
      ['phone', 'escalated'],
      ['email', 'worse'],
    ]);
    expect(house.sent[3]?.message.items[0]).toMatchObject({ severity: 'critical', severityBefore: 'error' });
  });
});

describe('leases', () => {
  test('(14) until so many further failures: one message, naming whose lease ended and why', () => {
    const house = createHouse(quiet);
    failsAt(house, 182);
    house.waitUntil(at(200));
    acknowledge(house, { until: 'failures', count: 3 }, at(200));
    failsAt(house, 210, 220);
    house.waitUntil(at(300));
    expect(house.sent).toHaveLength(1);
    failsAt(house, 300, 301);
    house.waitUntil(at(299 + 15));
    expect(house.sent[1]?.message).toMatchObject({
      composedAt: at(300),
      items: [{ kind: 'lapsed', failures: 3, lapse: { by: 'ann', reason: 'failures' } }],
    });
    house.waitUntil(at(600));
    expect(kinds(house)).toEqual(['new', 'lapsed', 'again']);
  });
});

describe('silences', () => {
  test('(20) one that starts after the failure was told: those who were told are told of the recovery', () => {
    const house = createHouse(jobsPolicy);
    failsAt(house, 182);
    house.waitUntil(at(228));
    expect(house.sent.map(({ channel }) => channel)).toEqual(['email', 'pager']);
    house.silence({ ...silence(1), match: {} }, at(230));
    failsAt(house, 240, 250);
    succeedsAt(house, 300);
    house.waitUntil(at(2 * day));
    expect(house.sent.slice(2).map(({ channel, message }) => [channel, message.items[0]?.kind])).toEqual([
      ['email', 'resolved'],
      ['pager', 'resolved'],
    ]);
  });

  test('one that mutes from before the failure: nobody is told of it, nor of its end', () => {
    const house = createHouse(jobsPolicy);
    house.silence({ ...silence(1), match: { source: ['apple'] } }, at(100));
    failsAt(house, 182, 190);
    succeedsAt(house, 300);
    house.waitUntil(at(2 * day));
    expect(house.sent).toEqual([]);
    expect(alertOf(house)).toMatchObject({ state: 'resolved', occurrences: 2, next: { action: 'none' } });
  });

  test('that ends while it still fails: told once, naming it and what happened under it', () => {
    const house = createHouse(quiet);
    house.silence({ ...silence(1), match: { source: ['apple'] } }, at(100));
    failsAt(house, 182, 190, 200);
    expect(alertOf(house).next).toEqual({ action: 'unsilence', at: at(540) });
    house.waitUntil(at(2 * day));
    expect(house.sent).toHaveLength(1);
    expect(house.sent[0]?.message).toMatchObject({
      composedAt: at(555),
      items: [{ kind: 'unsilenced', failures: 3, silence: { by: 'ann', reason: 'moving house', endedBy: null } }],
    });
  });

  test('takes news back that no digest has told yet', () => {
    const house = createHouse(quiet);
    failsAt(house, 182);
    house.silence({ ...silence(1), match: {} }, at(190));
    house.waitUntil(at(500));
    expect(house.sent).toEqual([]);
    house.unsilence(silence(1).id, 'bob', at(500));
    house.waitUntil(at(600));
    expect(house.sent.map(({ message }) => message.items[0]?.silence)).toEqual([
      { by: 'ann', reason: 'moving house', endedBy: 'bob' },
    ]);
  });
});

describe('flapping', () => {
  const flapping = { times: 3, withinMs: day * 60_000, holdMs: hour * 60_000 };
  const flips = (house: House): void => {
    for (let flip = 0; flip < 3; flip += 1) {
      failsAt(house, 182 + flip * 40);
      succeedsAt(house, 202 + flip * 40);
    }
  };

  test('(21) one notice, then quiet until it has settled: fine', () => {
    const house = createHouse({ ...quiet, flapping });
    flips(house);
    house.waitUntil(at(310));
    const before = house.sent.length;
    expect(before).toBe(6);
    for (let flip = 3; flip < 9; flip += 1) {
      failsAt(house, 182 + flip * 40);
      succeedsAt(house, 202 + flip * 40);
    }
    house.waitUntil(at(2 * day));
    expect(kinds(house).slice(before)).toEqual(['flapping', 'resolved']);
    expect(house.sent[before]?.message.items[0]?.flapping).toMatchObject({ count: 4 });
    expect(house.sent[before + 1]?.message.composedAt).toBe(at(202 + 8 * 40 + hour + 15));
    expect(house.alerts.size).toBe(4);
    expect(alertOf(house, 4)).toMatchObject({ state: 'resolved', occurrences: 6 });
  });

  test('(21) one notice, then quiet until it has settled: broken', () => {
    const house = createHouse({ ...quiet, flapping });
    flips(house);
    failsAt(house, 310);
    house.waitUntil(at(340));
    expect(kinds(house).at(-1)).toBe('flapping');
    succeedsAt(house, 341);
    const settlesAt = 350 + hour;
    failsAt(house, 350, 360, 370);
    house.waitUntil(at(settlesAt + 14));
    expect(house.sent).toHaveLength(7);
    house.waitUntil(at(settlesAt + 15));
    expect(house.sent[7]?.message.items[0]).toMatchObject({ kind: 'settled', failures: 3 });
    failsAt(house, 500);
    house.waitUntil(at(520));
    expect(kinds(house).slice(8)).toEqual(['again']);
    succeedsAt(house, 530);
    house.waitUntil(at(550));
    expect(kinds(house).slice(9)).toEqual(['resolved']);
  });

  test('a key that comes and goes less often is told each time', () => {
    const house = createHouse({ ...quiet, flapping: { ...flapping, times: 4 } });
    flips(house);
    failsAt(house, 310);
    house.waitUntil(at(330));
    expect(kinds(house).at(-1)).toBe('regressed');
  });
});

test('(23) a job marked dead turns out alive and succeeds: taken back, to everybody who was told', () => {
  const house = createHouse(jobsPolicy);
  const stuck = begins();
  house.take([stuck], at(182));
  house.take([repairs(stuck, { action: 'mark_dead', restart: null })], at(185));
  house.waitUntil(at(240));
  expect(house.sent.map(({ channel }) => channel)).toEqual(['email', 'pager']);
  house.take([ends(stuck, { cause: 'succeeded', note: 'it succeeded at 04:01', endedAt: at(241) })], at(242));
  house.waitUntil(at(300));
  expect(told(house, 2)).toEqual([
    '04:17 email: Resolved: apple/refresh_catalog/songs works again after 59 min.',
    '04:17 pager: Resolved: apple/refresh_catalog/songs works again after 59 min.',
  ]);
});

describe('routes', () => {
  test('with the first at once tell it at once, and what follows in its window', () => {
    const house = createHouse(route({ firstAtOnce: true }));
    failsAt(house, 182, 183, 184);
    house.waitUntil(at(300));
    expect(house.sent.map(({ message }) => [message.composedAt, message.purpose, message.totals.failures])).toEqual([
      [at(182), 'urgent', 1],
      [at(198), 'window', 2],
    ]);
  });

  test('with quiet hours keep what is not critical for the morning, as one message', () => {
    const night = route({ quietHours: [window(22 * hour, 7 * hour)] });
    const house = createHouse({
      ...night,
      rules: [{ name: 'r', match: { jobType: ['import_*'] }, severity: 'critical' }],
    });
    failsAt(house, 182, 200);
    house.take([failure({ jobType: 'import_charts', failedAt: at(201) })], at(201));
    house.waitUntil(at(day));
    expect(house.sent.map(({ message }) => [message.composedAt, message.purpose, message.totals.failures])).toEqual([
      [at(201), 'urgent', 1],
      [at(7 * hour), 'window', 2],
    ]);
  });
});

test('a storm is one message, then one update at a time, and one message for its end', () => {
  const storm = { keys: 20, withinMs: 300_000, share: null, updateMs: 15 * 60_000 };
  const house = createHouse({ ...route({ windowMs: 60 * 60_000 }), storm });
  const failing = (from: number, count: number, minute: number) =>
    Array.from({ length: count }, (_, index) =>
      failure({ targetId: `target ${from + index}`, jobId: `${from + index}`, failedAt: at(minute) }),
    );
  house.take(failing(0, 20, 182), at(182));
  house.take(failing(20, 180, 182), at(182));
  house.waitUntil(at(185));
  // The first twenty were no storm yet and wait in their window.
  expect(house.sent.map(({ message }) => [message.purpose, message.totals.alerts])).toEqual([['storm', 180]]);
  house.take(failing(200, 50, 186), at(186));
  house.waitUntil(at(187));
  expect(house.sent).toHaveLength(1);
  house.waitUntil(at(198));
  expect(house.sent.map(({ message }) => [message.purpose, message.totals.alerts])).toEqual([
    ['storm', 180],
    ['storm', 50],
  ]);
  expect(new Set(house.sent.map(({ message }) => message.threadId)).size).toBe(1);
  house.waitUntil(at(242));
  expect(house.sent[2]?.message).toMatchObject({ purpose: 'window', totals: { alerts: 20 } });
  const fine = Array.from({ length: 250 }, (_, index) =>
    success({ targetId: `target ${index}`, finishedAt: at(250 + index / 1_000) }),
  );
  house.take(fine, at(251));
  house.waitUntil(at(day));
  expect(house.sent.slice(3).map(({ message }) => [message.purpose, message.totals.resolved])).toEqual([
    ['storm', 230],
    ['window', 20],
  ]);
  expect(house.openKeys()).toEqual([]);
});
