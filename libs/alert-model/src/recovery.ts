import type { AlertState } from './alert-state.ts';
import type { ResolutionReason } from './event.ts';
import type { Instant } from './ids.ts';
import { compareInstants, earlier, isAfter, later } from './instant.ts';
import { ownValue } from './own-value.ts';
import { stepName } from './signal.ts';

/** The work of an alert is fine again. */
export interface Recovery {
  readonly reason: ResolutionReason;
  /** When the last of the successes that were owed finished, or the last condition ended. */
  readonly resolvedAt: Instant;
}

/**
 * Judges from everything folded whether the work has recovered. It looks at sets of successes, never at their order of
 * arrival, and at each failure for itself, so that any order of delivery, in one alert or in several that follow each
 * other, ends in the same judgement.
 *
 * Every step that failed or did not run must have succeeded after its own failure. Where the steps of a chain are known,
 * a failure inside a run is made good only by hand, outside a run or by repeating that run's own row, or by a whole run:
 * a later run that is only half done resolves nothing. A run is whole when each step succeeded in it, or by hand after
 * the run had begun. A failure outside a run, and one of a chain whose steps are not known, is made good by any success
 * of the same step.
 *
 * Conditions are suspicions until they end. While one holds, nothing has recovered; where nothing failed beside them, the
 * end of the last one is the recovery.
 */
export const recoveryOf = (state: AlertState): Recovery | null => {
  // Nobody can say of targets that are not followed that they work again, so an operator has to.
  if (state.owedUntracked > 0) return null;
  // A condition that holds is no failure that a success could pay: it ends by being retracted.
  if (Object.keys(state.suspicions).length > 0) return null;
  const { lastRetraction } = state;
  if (Object.keys(state.owed).length === 0)
    return lastRetraction === null
      ? null
      : {
          reason: lastRetraction.cause === 'succeeded' ? 'succeeded' : 'retracted',
          resolvedAt: lastRetraction.endedAt,
        };
  const paid = paymentOf(state);
  // It was not fine before the last condition had ended, too.
  return paid === null || lastRetraction === null
    ? paid
    : { ...paid, resolvedAt: later(paid.resolvedAt, lastRetraction.endedAt) };
};

/** Whether everything owed was made good by successes. */
const paymentOf = (state: AlertState): Recovery | null => {
  const steps = state.chain?.steps?.map(stepName) ?? null;
  const runs = Object.keys(state.successes).filter((run) => run !== '');
  if (steps !== null) {
    const green = runs
      .map((run) => greenSince(state, run, steps))
      .filter((at) => at !== null)
      .toSorted(compareInstants)[0];
    if (green !== undefined) return { reason: 'chain-run-green', resolvedAt: green };
  }
  const wholeRuns = steps === null ? runs : runs.filter((run) => isWhole(state, run, steps));
  const resolvedAt = paidSince(state, runs, wholeRuns);
  if (resolvedAt === null) return null;
  return { reason: state.chain === null ? 'succeeded' : 'failed-steps-succeeded', resolvedAt };
};

/** When one run alone made everything good, or null while it has not. */
const greenSince = (state: AlertState, run: string, steps: readonly string[]): Instant | null => {
  const finished = finishes(state, run);
  let since: Instant | null = null;
  for (const name of new Set([...steps, ...Object.keys(state.owed)])) {
    const at = ownValue(finished, name);
    const owed = ownValue(state.owed, name);
    if (at === undefined || (owed !== undefined && !isAfter(at, owed.failedAt))) return null;
    since = since === null ? at : later(since, at);
  }
  return since;
};

const isWhole = (state: AlertState, run: string, steps: readonly string[]): boolean => {
  const finished = finishes(state, run);
  const begun = Object.values(finished).reduce<Instant | null>(
    (first, at) => (first === null ? at : earlier(first, at)),
    null,
  );
  if (begun === null) return false;
  return steps.every((name) => {
    const byHand = ownValue(finishes(state, ''), name);
    return Object.hasOwn(finished, name) || (byHand !== undefined && isAfter(byHand, begun));
  });
};

/** When every failure was made good, or null while one is not. */
const paidSince = (state: AlertState, runs: readonly string[], wholeRuns: readonly string[]): Instant | null => {
  let since: Instant | null = null;
  for (const [name, { failedAtByRun }] of Object.entries(state.owed))
    for (const [run, failedAt] of Object.entries(failedAtByRun)) {
      const paid = firstAfter(failedAt, name, state, run === '' ? ['', ...runs] : ['', run, ...wholeRuns]);
      if (paid === null) return null;
      since = since === null ? paid : later(since, paid);
    }
  return since;
};

/** The first success of a step after its failure, in any of these runs. */
const firstAfter = (failedAt: Instant, name: string, state: AlertState, runs: readonly string[]): Instant | null =>
  runs
    .flatMap((run) => ownValue(finishes(state, run), name) ?? [])
    .filter((at) => isAfter(at, failedAt))
    .toSorted(compareInstants)[0] ?? null;

const finishes = (state: AlertState, run: string): Readonly<Record<string, Instant>> =>
  ownValue(state.successes, run) ?? {};
