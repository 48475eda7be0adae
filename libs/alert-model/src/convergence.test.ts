import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  albums,
  artists,
  chainPolicy,
  deliveryId,
  digestId,
  jobsPolicy,
  outcomeId,
  rebuild,
  songs,
} from '../fixtures/builders.ts';
import { createHouse } from '../fixtures/house.ts';
import type { House } from '../fixtures/house.ts';
import {
  decideAcknowledge,
  decideEscalate,
  decideLapse,
  decideNotificationFailed,
  decideNotified,
  decideResolve,
  decideSuccess,
  decideUnacknowledge,
} from './decide.ts';
import type { Decision } from './decide.ts';
import { evolveAlert } from './evolve-alert.ts';
import type { AlertState } from './alert-state.ts';
import type { Instant } from './ids.ts';
import type { Policy } from './policy.ts';
import type { RunContext, Signal, Step } from './signal.ts';

const grouped: Policy = { ...jobsPolicy, rules: [{ name: 'r', match: {}, groupBy: ['source', 'jobType'] }] };
const learned: RunContext = { steps: [], learned: [albums, songs, artists, rebuild], lastGreenAt: null };
const unlearned: RunContext = { ...learned, learned: [] };

/** A moment, in seconds; a run lasts 1,000 of them, and nothing happens twice at the same. */
const moment = (seconds: number): Instant => new Date(Date.UTC(2026, 2, 2) + seconds * 1_000).toISOString();

/** What may become of one row: each attempt ends well or badly; a row that went well is not repeated. */
const attempts = fc.constantFrom('', 'S', 'F', 'FS', 'FF', 'FFS');
const source = fc.constantFrom('apple', 'google');

/**
 * Signals that a job table could really give rise to: runs one after the other, rows repeated in place while their run
 * is the latest, and steps repeated by hand outside a run at any time.
 */
const histories = (runContext: RunContext): fc.Arbitrary<readonly Signal[]> => {
  const row = fc.record({
    step: fc.constantFrom<Step>(albums, songs, artists, rebuild),
    attempts,
    jitter: fc.integer({ min: 0, max: 999 }),
  });
  const run = fc.record({
    source,
    rows: fc.uniqueArray(row, { selector: ({ step }) => JSON.stringify(step), maxLength: 4 }),
  });
  const hand = fc.record({ source, row, at: fc.integer({ min: 0, max: 5_999 }) });
  return fc
    .record({ runs: fc.array(run, { maxLength: 5 }), hands: fc.array(hand, { maxLength: 5 }) })
    .map(({ runs, hands }) => {
      const signals: Signal[] = [];
      const used = new Set<number>();
      const add = (ofSource: string, step: Step, kind: string, inRun: string | null, wanted: number): void => {
        let second = wanted;
        while (used.has(second)) second += 1;
        used.add(second);
        const identity = {
          v: 1 as const,
          outcomeId: outcomeId(signals.length + 1),
          table: 'research_jobs',
          jobId: `${signals.length}`,
          source: ofSource,
          run: inRun,
          observedAt: moment(second),
        };
        if (kind === 'S') signals.push({ ...identity, ...step, signal: 'SuccessDetected', finishedAt: moment(second) });
        else
          signals.push({
            ...identity,
            ...step,
            signal: 'FailureDetected',
            kind: 'failed',
            attempts: 3,
            maxAttempts: 3,
            error: `cause ${'abc'[second % 3]}`,
            failedAt: moment(second),
            runContext: inRun === null ? null : runContext,
            notes: [],
          });
      };
      runs.forEach((one, index) => {
        for (const { step, attempts: kinds, jitter } of one.rows)
          kinds
            .split('')
            .forEach((kind, attempt) =>
              add(one.source, step, kind, moment(index * 1_000), index * 1_000 + 1 + attempt * 300 + (jitter % 290)),
            );
      });
      for (const { source: ofSource, row: one, at } of hands)
        one.attempts.split('').forEach((kind, attempt) => add(ofSource, one.step, kind, null, at + attempt * 7));
      return signals;
    });
};

/** The same signals in any order, some of them twice, cut into batches. */
const delivered = (signals: readonly Signal[]): fc.Arbitrary<readonly (readonly Signal[])[]> =>
  fc
    .record({
      order: fc.shuffledSubarray([...signals, ...signals], { minLength: signals.length }),
      sizes: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 10 }),
    })
    .map(({ order, sizes }) => {
      const all = [...order, ...signals];
      const batches: (readonly Signal[])[] = [];
      for (let at = 0, index = 0; at < all.length; index += 1) {
        const size = sizes[index % sizes.length] ?? 1;
        batches.push(all.slice(at, at + size));
        at += size;
      }
      return batches;
    });

const played = (policy: Policy, batches: readonly (readonly Signal[])[], sendBetween: boolean): House => {
  const house = createHouse(policy);
  batches.forEach((batch, index) => {
    const now = moment(10_000 + index * 600);
    if (sendBetween) house.waitUntil(now);
    house.take(batch, now);
  });
  house.waitUntil(moment(10_000_000));
  return house;
};

const recorded = (house: House): readonly string[] =>
  house.log.flatMap(({ event }) => (event.type === 'FailureDetected' ? [event.data.outcomeId] : [])).toSorted();

describe.for([
  { kind: 'single jobs', policy: jobsPolicy, context: unlearned },
  { kind: 'jobs grouped by type', policy: grouped, context: unlearned },
  { kind: 'a configured chain', policy: chainPolicy, context: unlearned },
  { kind: 'an unnamed chain with learned steps', policy: jobsPolicy, context: learned },
])('signals of $kind', ({ policy, context }) => {
  const cases = histories(context).chain((signals) =>
    fc.record({
      signals: fc.constant(signals),
      first: delivered(signals),
      second: delivered(signals),
      sendBetween: fc.boolean(),
    }),
  );

  test('in any order, doubled and cut into any batches, end with the same open keys and the same occurrences', () => {
    fc.assert(
      fc.property(cases, ({ signals, first, second, sendBetween }) => {
        const [one, other] = [played(policy, first, sendBetween), played(policy, second, !sendBetween)];
        expect(other.openKeys()).toEqual(one.openKeys());
        const failed = signals
          .filter((signal) => signal.signal === 'FailureDetected')
          .map((signal) => signal.outcomeId)
          .toSorted();
        expect(recorded(one)).toEqual(failed);
        expect(recorded(other)).toEqual(failed);
      }),
      { numRuns: 400 },
    );
  });

  test('are all told, and nothing is left waiting when every channel accepts', () => {
    fc.assert(
      fc.property(cases, ({ signals, first, sendBetween }) => {
        const house = played(policy, first, sendBetween);
        for (const state of house.alerts.values()) {
          expect({ pending: state.pending, batches: state.batches }).toEqual({ pending: {}, batches: {} });
          expect(state.told.length).toBeGreaterThan(0);
          const owed = state.state === 'resolved' ? state.told.map((entry) => `${entry.route} ${entry.channel}`) : [];
          expect(state.resolutionToldTo.toSorted()).toEqual(owed.toSorted());
        }
        const failures = signals.filter((signal) => signal.signal === 'FailureDetected').length;
        const toldOnMail = house.sent.filter(
          ({ channel, message }) => channel === 'email' && message.purpose === 'window',
        );
        expect(toldOnMail.reduce((sum, { message }) => sum + message.totals.failures, 0)).toBe(failures);
      }),
      { numRuns: 200 },
    );
  });

  test('taken a second time add no event', () => {
    fc.assert(
      fc.property(cases, ({ first }) => {
        const house = played(policy, first, true);
        const before = house.log.length;
        for (const batch of first) house.take(batch, moment(20_000_000));
        house.waitUntil(moment(30_000_000));
        expect(house.log.length).toBe(before);
      }),
      { numRuns: 200 },
    );
  });

  test('fold again from the log to the very same states', () => {
    fc.assert(
      fc.property(cases, ({ first }) => {
        const house = played(policy, first, true);
        const folded = new Map<string, AlertState>();
        for (const { alertId, event } of house.log)
          folded.set(alertId, evolveAlert(folded.get(alertId) ?? null, structuredClone(event)));
        expect(JSON.stringify([...folded])).toBe(JSON.stringify([...house.alerts]));
      }),
      { numRuns: 100 },
    );
  });
});

describe('an unnamed chain whose steps are not known', () => {
  test('ends with the same open keys in any order', () => {
    const cases = histories(unlearned).chain((signals) =>
      fc.record({ first: delivered(signals), second: delivered(signals) }),
    );
    fc.assert(
      fc.property(cases, ({ first, second }) => {
        expect(played(jobsPolicy, first, true).openKeys()).toEqual(played(jobsPolicy, second, false).openKeys());
      }),
      { numRuns: 400 },
    );
  });
});

describe('any commands in any order', () => {
  type Command = (state: AlertState, now: Instant) => Decision;
  const delivery = (number: number, reportedResolved: boolean, channel: string) => ({
    digestId: digestId(number),
    deliveryId: deliveryId(number),
    route: 'default',
    purpose: 'window' as const,
    channel,
    threadId: digestId(1),
    acceptedAt: moment(number),
    reportedResolved,
  });
  const small = fc.integer({ min: 1, max: 4 });
  const by = fc.constantFrom('ann', 'bob');
  const command: fc.Arbitrary<Command> = fc.oneof(
    fc.tuple(small, fc.boolean(), fc.constantFrom('email', 'slack')).map(
      ([number, resolved, channel]): Command =>
        (state, now) =>
          decideNotified(state, delivery(number, resolved && state.state === 'resolved', channel), now),
    ),
    fc.tuple(small, fc.constantFrom('slack', null)).map(
      ([number, fallback]): Command =>
        (state, now) =>
          decideNotificationFailed(
            state,
            { ...delivery(number, false, 'email'), reason: 'rejected', fallback, final: fallback === null },
            now,
          ),
    ),
    small.map(
      (level): Command =>
        (state, now) =>
          decideEscalate(state, { route: 'default', level }, now),
    ),
    fc
      .tuple(by, fc.constantFrom('signature-change' as const, 'success' as const, 'time' as const), small)
      .map(([who, until, ahead]): Command => (state, now) => {
        const lease =
          until === 'time'
            ? { until, at: moment((Date.parse(now) - Date.parse(moment(0))) / 1_000 + ahead) }
            : { until };
        return decideAcknowledge(state, { by: who, via: 'test', lease, note: null }, now);
      }),
    by.map(
      (who): Command =>
        (state, now) =>
          decideUnacknowledge(state, who, now),
    ),
    fc.constant<Command>((state, now) => decideLapse(state, now)),
    by.map(
      (who): Command =>
        (state, now) =>
          decideResolve(state, { by: who, note: null }, now),
    ),
    small.map(
      (second): Command =>
        (state, now) =>
          decideSuccess(
            state,
            {
              v: 1,
              signal: 'SuccessDetected',
              outcomeId: outcomeId(second),
              table: 't',
              jobId: '1',
              source: state.source,
              ...songs,
              run: null,
              finishedAt: moment(20_000 + second),
              observedAt: now,
            },
            now,
          ),
    ),
  );

  test('fold without an error, and a command repeated at once adds nothing', () => {
    const signals = histories(learned);
    fc.assert(
      fc.property(
        fc.array(fc.oneof(command, signals), { maxLength: 40 }),
        fc.constantFrom(jobsPolicy, chainPolicy, grouped),
        (steps, policy) => {
          const house = createHouse(policy);
          steps.forEach((step, index) => {
            const now = moment(10_000 + index);
            if (typeof step !== 'function') {
              house.take(step, now);
              return;
            }
            for (const id of house.alerts.keys()) {
              house.record(id, step(house.alerts.get(id) as AlertState, now).events, now);
              const again = step(house.alerts.get(id) as AlertState, now);
              const repeats = again.events.map((event) => event.type).filter((type) => type !== 'NotificationFailed');
              expect(repeats).toEqual([]);
            }
          });
        },
      ),
      { numRuns: 500 },
    );
  });
});
