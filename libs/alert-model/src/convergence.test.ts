import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chainPolicy, deliveryId, digestId, jobsPolicy, outcomeId, silence, songs } from '../fixtures/builders.ts';
import { delivered, grouped, histories, learned, moment, played, unlearned } from '../fixtures/histories.ts';
import { createHouse } from '../fixtures/house.ts';
import type { House } from '../fixtures/house.ts';
import { decideBounced } from './decide-bounced.ts';
import { decideSettle } from './decide-settle.ts';
import { decideSilence, decideUnsilence } from './decide-silence.ts';
import { decideRepair } from './decide-repair.ts';
import { decideAcknowledge, decideLapse, decideUnacknowledge } from './decide-acknowledge.ts';
import { decideEscalate } from './decide-escalate.ts';
import { decideNotificationFailed, decideNotified, decideResolve, decideSuccess } from './decide.ts';
import type { Decision } from './decision.ts';
import type { Lease } from './event.ts';
import { evolveAlert } from './evolve-alert.ts';
import type { AlertState } from './alert-state.ts';
import { OutcomeId } from './ids.ts';
import type { DigestId, Instant } from './ids.ts';
import type { Policy } from './policy.ts';

/** From the second alert of a key on it is flapping; its hold is longer than a run. */
const flappy: Policy = { ...jobsPolicy, flapping: { times: 1, withinMs: 864_000_000, holdMs: 1_500_000 } };
const recorded = (house: House): readonly string[] =>
  house.log.flatMap(({ event }) => (event.type === 'FailureDetected' ? [event.data.outcomeId] : [])).toSorted();

describe.for([
  { kind: 'single jobs', policy: jobsPolicy, context: unlearned },
  { kind: 'jobs grouped by type', policy: grouped, context: unlearned },
  { kind: 'a configured chain', policy: chainPolicy, context: unlearned },
  { kind: 'an unnamed chain with learned steps', policy: jobsPolicy, context: learned },
  { kind: 'keys that come and go', policy: flappy, context: unlearned },
  { kind: 'chains that come and go', policy: { ...flappy, chains: chainPolicy.chains }, context: unlearned },
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
      .tuple(by, fc.constantFrom('signature-change', 'success', 'time', 'failures'), small)
      .map(([who, until, ahead]): Command => (state, now) => {
        const lease: Lease =
          until === 'time'
            ? { until, at: moment((Date.parse(now) - Date.parse(moment(0))) / 1_000 + ahead) }
            : until === 'failures'
              ? { until, count: ahead }
              : { until };
        return decideAcknowledge(state, { by: who, via: 'test', lease, note: null }, now);
      }),
    by.map(
      (who): Command =>
        (state, now) =>
          decideUnacknowledge(state, who, now),
    ),
    fc.constant<Command>((state, now) => decideLapse(state, now)),
    fc.constant<Command>((state, now) => decideSettle(state, now)),
    fc.tuple(small, fc.boolean()).map(
      ([number, isOpen]): Command =>
        (state, now) =>
          decideSilence(state, silence(number), new Set(isOpen ? (Object.keys(state.batches) as DigestId[]) : []), now),
    ),
    small.map(
      (number): Command =>
        (state, now) =>
          decideUnsilence(state, silence(number).id, 'expired', null, now),
    ),
    fc.tuple(small, fc.constantFrom('slack', null)).map(([number, fallback]): Command => (state, now) => {
      const { digestId: id, deliveryId: id2, route, channel } = delivery(number, false, 'email');
      const bounce = { digestId: id, deliveryId: id2, route, channel, reason: 'bounced', fallback };
      return decideBounced(state, bounce, now);
    }),
    by.map(
      (who): Command =>
        (state, now) =>
          decideResolve(state, { by: who, note: null }, now),
    ),
    fc.tuple(small, fc.constantFrom('done' as const, 'skipped' as const)).map(
      ([number, result]): Command =>
        (state, now) =>
          decideRepair(
            state,
            {
              v: 1,
              signal: 'JobRepaired',
              outcomeId: OutcomeId.parse(Object.keys(state.suspicions)[0] ?? outcomeId(number)),
              repairId: `f0000000-0000-4000-8000-00000000000${number}`,
              table: 't',
              jobId: '1',
              action: 'requeue',
              result,
              reason: null,
              restart: null,
              actedAt: moment(number),
              observedAt: now,
            },
            now,
          ),
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
        fc.constantFrom(jobsPolicy, chainPolicy, grouped, flappy),
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
