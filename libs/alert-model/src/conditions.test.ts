import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  at,
  begins,
  chainPolicy,
  ends,
  failure,
  fails,
  given,
  jobsPolicy,
  opened,
  runOf,
  success,
} from '../fixtures/builders.ts';
import { delivered, grouped, histories, learned, played, unlearned } from '../fixtures/histories.ts';
import type { House } from '../fixtures/house.ts';
import type { AlertState } from './alert-state.ts';
import { decideRepair } from './decide-repair.ts';
import { decideRetraction } from './decide-retraction.ts';
import { decideSuccess } from './decide.ts';
import type { Decision } from './decision.ts';
import { evolveAlert } from './evolve-alert.ts';
import { EndCause, conditionKinds } from './signal.ts';
import type { Signal } from './signal.ts';

const policies = [
  { kind: 'single jobs', policy: jobsPolicy, context: unlearned },
  { kind: 'jobs grouped by type', policy: grouped, context: unlearned },
  { kind: 'a configured chain', policy: chainPolicy, context: unlearned },
  { kind: 'an unnamed chain with learned steps', policy: jobsPolicy, context: learned },
];

/** Every retraction with those who were told of its alert before, and whether it resolved the alert. */
const retractionsOf = (house: House) =>
  house.log.flatMap(({ alertId, event }, index) => {
    if (event.type !== 'FailureRetracted') return [];
    const told = house.log
      .slice(0, index)
      .flatMap((entry) =>
        entry.alertId === alertId && entry.event.type === 'AlertNotified' ? [entry.event.data.channel] : [],
      );
    const next = house.log.slice(index + 1).find((entry) => entry.alertId === alertId)?.event.type;
    return [{ alertId, data: event.data, told: new Set(told), resolved: next === 'AlertResolved' }];
  });

describe.for(policies)('conditions of $kind', ({ policy, context }) => {
  const cases = histories(context).chain((signals) =>
    fc.record({ batches: delivered(signals), sendBetween: fc.boolean() }),
  );

  test('that hold are never ended by a resolution', () => {
    fc.assert(
      fc.property(cases, ({ batches, sendBetween }) => {
        const states = new Map<string, AlertState>();
        const heldAtResolution = played(policy, batches, sendBetween).log.flatMap(({ alertId, event }) => {
          const before = states.get(alertId) ?? null;
          states.set(alertId, evolveAlert(before, event));
          return event.type === 'AlertResolved' ? Object.keys(before?.suspicions ?? {}) : [];
        });
        expect(heldAtResolution).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  test('that are taken back while their alert stays open are told to everybody who was told, and to nobody else', () => {
    fc.assert(
      fc.property(cases, ({ batches }) => {
        const house = played(policy, batches, true);
        const retractions = retractionsOf(house);
        for (const { data, told, resolved } of retractions)
          // What ended badly is told by the failure that follows, or by what the janitor did.
          for (const channel of resolved || data.cause === 'ended' ? [] : told) {
            const messages = house.sent.filter((sent) => sent.channel === channel);
            const tells = messages.some(({ message }) =>
              message.items.some(
                ({ developments = [], moreDevelopments = 0 }) =>
                  moreDevelopments > 0 ||
                  developments.some((one) => one.jobId === data.jobId && one.at === data.endedAt),
              ),
            );
            expect(tells, `${data.jobId} to ${channel}`).toBe(true);
          }
        for (const { channel, message } of house.sent)
          for (const item of message.items.filter(({ kind }) => kind === 'update')) {
            // Told by this message, and by one before it.
            const told = house.log.filter(
              ({ alertId, event }) =>
                alertId === item.alertId &&
                event.type === 'AlertNotified' &&
                event.data.channel === channel &&
                event.data.acceptedAt <= message.composedAt,
            );
            expect(told.length, `${channel} was never told of it`).toBeGreaterThan(1);
          }
      }),
      { numRuns: 300 },
    );
  });
});

test('the properties above are about something: retractions are told on both channels, and resolve alerts', () => {
  const seen = new Set<string>();
  const cases = histories(unlearned).chain(delivered);
  for (const batches of fc.sample(cases, { seed: 7, numRuns: 150 })) {
    const house = played(grouped, batches, true);
    for (const { told, resolved } of retractionsOf(house))
      for (const channel of told) seen.add(`${channel} ${resolved ? 'resolved' : 'open'}`);
  }
  expect([...seen].toSorted()).toEqual(['email open', 'email resolved', 'pager open', 'pager resolved']);
});

describe('beginnings, ends, failures and successes of one alert', () => {
  const targetId = fc.constantFrom('songs', 'albums', 'artists');
  const condition = fc
    .record({
      kind: fc.constantFrom(...conditionKinds),
      cause: fc.constantFrom(...EndCause.options),
      targetId,
      began: fc.nat(50),
      lasted: fc.nat(50),
      run: fc.constantFrom(null, runOf(0)),
    })
    .map(({ kind, cause, targetId: target, began, lasted, run }): readonly Signal[] => {
      const beginning = begins({ kind, targetId: target, failedAt: at(began), run });
      return [beginning, ends(beginning, { cause, endedAt: at(began + lasted) })];
    });
  const failed = fc
    .record({ targetId, minute: fc.nat(80) })
    .map(({ targetId: target, minute }): readonly Signal[] => [failure({ targetId: target, failedAt: at(minute) })]);
  const succeeded = fc
    .record({ targetId, minute: fc.integer({ min: 60, max: 150 }) })
    .map(({ targetId: target, minute }): readonly Signal[] => [success({ targetId: target, finishedAt: at(minute) })]);
  const histories = fc.tuple(
    fc.array(condition, { minLength: 1, maxLength: 5 }),
    fc.array(failed, { maxLength: 4 }),
    // One of a target: of several, the alert remembers the latest it was told of.
    fc.uniqueArray(succeeded, { selector: ([signal]) => stepOf(signal), maxLength: 3 }),
  );
  const stepOf = (signal: Signal | undefined): string =>
    signal?.signal === 'SuccessDetected' ? String(signal.targetId) : '';

  /** Holds until the others are through, so that it is one alert in every order. */
  const last = begins({ jobId: 'last', targetId: 'last', failedAt: at(0) });

  const take = (state: AlertState, signal: Signal): AlertState => {
    const decision = ((): Decision => {
      switch (signal.signal) {
        case 'FailureDetected':
          return fails(state, signal, grouped);
        case 'SuccessDetected':
          return decideSuccess(state, signal, at(500));
        case 'ConditionEnded':
          return decideRetraction(state, signal, at(500));
        case 'JobRepaired':
          return decideRepair(state, signal, at(500));
        default:
          return signal satisfies never;
      }
    })();
    return decision.events.reduce<AlertState>(evolveAlert, state);
  };

  /** As the shell does: an outcome is recorded once; successes and ends that came too early are offered again. */
  const judged = (signals: readonly Signal[]) => {
    const again = signals.filter(({ signal }) => signal !== 'FailureDetected');
    const state = [...signals, ...again, ...again].reduce(take, given(opened(last, grouped)));
    expect(state.state).not.toBe('resolved');
    const { owed, suspicions, lastRetraction, occurrences, resolution } = take(state, ends(last, { endedAt: at(1) }));
    return { owed, suspicions, lastRetraction, occurrences, resolution };
  };

  test('in any order and however often heard fold to the same facts and the same judgement', () => {
    const cases = histories.map((lists) => lists.flat(2)).chain((signals) => fc.tuple(mixed(signals), mixed(signals)));
    fc.assert(
      fc.property(cases, ([one, other]) => {
        expect(judged(other)).toEqual(judged(one));
      }),
      { numRuns: 1_000 },
    );
  });

  const mixed = (signals: readonly Signal[]): fc.Arbitrary<readonly Signal[]> =>
    fc.shuffledSubarray([...signals], { minLength: signals.length });
});
