import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { everything, jobsPolicy, silence, songs, success, window } from '../fixtures/builders.ts';
import { grouped, histories, learned, moment } from '../fixtures/histories.ts';
import { createHouse } from '../fixtures/house.ts';
import type { House } from '../fixtures/house.ts';
import type { AlertState } from './alert-state.ts';
import { decideAcknowledge, decideUnacknowledge } from './decide-acknowledge.ts';
import { decideResolve } from './decide.ts';
import { joins } from './effects.ts';
import { nextEscalations } from './escalation.ts';
import type { Lease } from './event.ts';
import { evolveAlert } from './evolve-alert.ts';
import type { Instant } from './ids.ts';
import { isAfter } from './instant.ts';
import type { Policy } from './policy.ts';

/** Everything that may keep an alert from being told, at once. */
const nights: Policy = {
  ...grouped,
  routes: [
    {
      ...everything,
      firstAtOnce: true,
      quietHours: [window(3 * 60, 5 * 60)],
      escalation: {
        name: 'nights',
        levels: [
          { afterMs: 600_000, channels: ['second'], severities: null },
          { afterMs: 900_000, channels: ['email', 'phone'], severities: ['critical'] },
        ],
        repeat: { everyMs: 1_800_000, times: 2 },
      },
    },
    { ...everything, name: 'chat', channels: ['slack'], windowMs: 60_000, escalation: null },
  ],
  storm: { keys: 2, withinMs: 600_000, share: null, updateMs: 1_200_000 },
  flapping: { times: 1, withinMs: 86_400_000, holdMs: 1_500_000 },
};

type Step = (house: House, now: Instant, second: number) => void;

const openAlerts = (house: House): readonly AlertState[] =>
  [...house.alerts.values()].filter(({ state }) => state !== 'resolved');

const leases: readonly ((second: number) => Lease)[] = [
  () => ({ until: 'success' }),
  () => ({ until: 'signature-change' }),
  () => ({ until: 'failures', count: 2 }),
  (second) => ({ until: 'time', at: moment(second + 900) }),
];

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: histories(learned).map(
      (signals): Step =>
        (house, now) =>
          house.take(signals, now),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(...leases).map((make): Step => (house, now, second) => {
      for (const state of openAlerts(house)) {
        const command = { by: 'ann', via: 'test', lease: make(second), note: null };
        house.record(state.id, decideAcknowledge(state, command, now).events, now);
      }
    }),
  },
  fc.constant<Step>((house, now) => {
    for (const state of openAlerts(house)) house.record(state.id, decideUnacknowledge(state, 'bob', now).events, now);
  }),
  fc
    .tuple(fc.integer({ min: 1, max: 3 }), fc.constantFrom(1_200, null), fc.constantFrom('apple', '*'))
    .map(([number, lastsSeconds, source]): Step => (house, now, second) => {
      const end =
        lastsSeconds === null
          ? { until: 'resolved' as const }
          : { until: 'time' as const, at: moment(second + lastsSeconds) };
      house.silence({ ...silence(number, { end }), match: { source: [source] } }, now);
    }),
  fc.integer({ min: 1, max: 3 }).map(
    (number): Step =>
      (house, now) =>
        house.unsilence(silence(number).id, 'bob', now),
  ),
  fc.tuple(fc.constantFrom('email', 'slack', 'second'), fc.constantFrom('outbox', null)).map(
    ([channel, fallback]): Step =>
      (house, now) =>
        house.bounce(channel, fallback, now),
  ),
  fc.constant<Step>((house, now) => {
    for (const state of openAlerts(house).slice(0, 1))
      house.record(state.id, decideResolve(state, { by: 'cid', note: null }, now).events, now);
  }),
  fc.constantFrom('apple', 'google').map(
    (source): Step =>
      (house, now) =>
        house.take([success({ ...songs, source, finishedAt: now })], now),
  ),
  fc.constant<Step>((house) => house.loseTimers()),
);

/** What an alert says that it does next is what its state asks for. */
const expectFittingNext = (state: AlertState): void => {
  const { next } = state;
  // The house lets news join as soon as it may.
  expect(joins(state)).toEqual([]);
  const waitsFor = [
    ...Object.values(state.batches).map(({ dueAt }) => ({ action: 'digest', at: dueAt })),
    ...nextEscalations(state).map(({ at }) => ({ action: 'escalate', at })),
    ...(state.acknowledgement?.lease.until === 'time' && state.resolution === null
      ? [{ action: 'lapse', at: state.acknowledgement.lease.at }]
      : []),
    ...(state.flapping !== null && state.resolution === null ? [{ action: 'settle', at: next.at }] : []),
    ...(state.resolution === null
      ? Object.values(state.silences).flatMap(({ end }) =>
          end.until === 'time' ? [{ action: 'unsilence', at: end.at }] : [],
        )
      : []),
  ];
  if (waitsFor.length === 0) expect(next).toEqual({ action: state.resolution === null ? 'wait' : 'none', at: null });
  else {
    expect(waitsFor).toContainEqual(next);
    for (const { at } of waitsFor) expect(at !== null && next.at !== null && isAfter(next.at, at)).toBe(false);
  }
};

/** Every occurrence was told, is on its way, or waits, on each route; or it was muted to the end. */
const expectEveryOccurrence = (house: House): void => {
  const told = new Map<string, number>();
  const states = new Map<string, AlertState>();
  for (const { alertId, event } of house.log) {
    const before = states.get(alertId) ?? null;
    const after = evolveAlert(before, event);
    states.set(alertId, after);
    if (event.type !== 'AlertNotified' && event.type !== 'ResolutionNotified') continue;
    const name = `${alertId} ${event.data.route}`;
    const batch = before?.batches[event.data.digestId]?.batch;
    told.set(name, (told.get(name) ?? 0) + (batch?.failures ?? 0));
  }
  expect(JSON.stringify([...states])).toBe(JSON.stringify([...house.alerts]));
  for (const state of states.values())
    for (const { name } of state.routes) {
      const waiting = state.pending[name]?.failures ?? 0;
      const onItsWay = Object.values(state.batches)
        .filter(({ route }) => route === name)
        .reduce((sum, { batch }) => sum + batch.failures, 0);
      const heard = told.get(`${state.id} ${name}`) ?? 0;
      const isMutedToTheEnd =
        state.resolution !== null &&
        Object.keys(state.silences).length > 0 &&
        !state.told.some(({ route }) => route === name);
      // Its digests had nothing to add to the message that said that it is over, and how often it had failed.
      const isKnownToBeOver = house.sent.some(
        ({ digest, resolvedIds }) => digest.route === name && resolvedIds.includes(state.id),
      );
      if (isMutedToTheEnd || isKnownToBeOver) expect(heard + onItsWay + waiting).toBeLessThanOrEqual(state.occurrences);
      else expect(heard + onItsWay + waiting).toBe(state.occurrences);
    }
};

/** When all clocks have run out, what still waits waits for a person, a success or the end of a condition. */
const expectNothingForgotten = (house: House): void => {
  for (const state of house.alerts.values()) {
    expect(state.batches).toEqual({});
    expect(state.next).toEqual({ action: state.resolution === null ? 'wait' : 'none', at: null });
    if (state.acknowledgement === null && Object.keys(state.silences).length === 0) expect(state.pending).toEqual({});
    if (state.resolution === null) expect(state.flapping).toBeNull();
    const isTold = state.told.length > 0 || state.bounces > 0 || Object.keys(state.silences).length > 0;
    expect(isTold || state.acknowledgement !== null).toBe(true);
  }
};

describe.for([
  { kind: 'the usual policy', policy: jobsPolicy },
  { kind: 'a policy with everything in it', policy: nights },
])('whatever happens in whatever order, by $kind', ({ policy }) => {
  test('every alert says what comes next, and no occurrence is lost', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(step, fc.integer({ min: 1, max: 2_000 })), { maxLength: 25 }),
        fc.boolean(),
        (steps, isNetOnly) => {
          const house = createHouse(policy);
          let second = 10_000;
          for (const [happen, pause] of steps) {
            happen(house, moment(second), second);
            for (const state of house.alerts.values()) expectFittingNext(state);
            if (isNetOnly) house.loseTimers();
            second += pause;
            house.waitUntil(moment(second));
          }
          expectEveryOccurrence(house);
          // Once the timers are gone the second net alone finds what is due.
          for (let round = 0; round < 30; round += 1) {
            const now = moment(10_000_000 + round * 20_000);
            if (isNetOnly) house.loseTimers();
            house.waitUntil(now);
            house.catchUp(now);
          }
          house.waitUntil(moment(20_000_000));
          expectEveryOccurrence(house);
          expectNothingForgotten(house);
        },
      ),
      { numRuns: 150 },
    );
  }, 60_000);
});
