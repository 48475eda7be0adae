import type { AlertState } from './alert-state.ts';
import type { ResolutionReason } from './event.ts';
import type { Instant } from './ids.ts';
import { compareInstants, isAfter, later } from './instant.ts';
import { stepName } from './signal.ts';

/** The work of an alert is fine again. */
export interface Recovery {
  readonly reason: ResolutionReason;
  /** When the last of the successes that were owed finished. */
  readonly resolvedAt: Instant;
}

/**
 * Judges from everything folded whether the work has recovered. It looks at sets of successes, never at their order of
 * arrival, so that any order of delivery ends in the same judgement.
 *
 * A chain whose steps are known has recovered when one whole run is green in which every step that owes a success
 * finished after its failure; or when every such step has succeeded since by hand: outside a run, or by repeating the
 * failed run itself. A later run that is only half done resolves nothing. Without known steps, and for single jobs,
 * every failed step or target must have succeeded after its own failure.
 */
export const recoveryOf = (state: AlertState): Recovery | null => {
  const steps = state.chain?.steps ?? null;
  if (steps !== null) {
    const green = Object.keys(state.successes)
      .filter((run) => run !== '')
      .map((run) => greenSince(state, run, steps.map(stepName)))
      .filter((at) => at !== null)
      .toSorted(compareInstants)[0];
    if (green !== undefined) return { reason: 'chain-run-green', resolvedAt: green };
  }
  const repeatedByHand = ['', ...state.failedRuns];
  const runs = steps === null ? Object.keys(state.successes) : repeatedByHand;
  const resolvedAt = owedSince(state, runs);
  if (resolvedAt === null) return null;
  return { reason: state.chain === null ? 'succeeded' : 'failed-steps-succeeded', resolvedAt };
};

/** When the run became green as a whole, or null while it is not. */
const greenSince = (state: AlertState, run: string, steps: readonly string[]): Instant | null => {
  const finished = state.successes[run] ?? {};
  let since: Instant | null = null;
  for (const name of new Set([...steps, ...Object.keys(state.owed)])) {
    const at = finished[name];
    const owed = state.owed[name];
    if (at === undefined || (owed !== undefined && !isAfter(at, owed.failedAt))) return null;
    since = since === null ? at : later(since, at);
  }
  return since;
};

/** When every step that owes a success had one, in any of these runs, or null while one has not. */
const owedSince = (state: AlertState, runs: readonly string[]): Instant | null => {
  let since: Instant | null = null;
  for (const [name, { failedAt }] of Object.entries(state.owed)) {
    const paid = runs
      .flatMap((run) => state.successes[run]?.[name] ?? [])
      .filter((at) => isAfter(at, failedAt))
      .toSorted(compareInstants)[0];
    if (paid === undefined) return null;
    since = since === null ? paid : later(since, paid);
  }
  return since;
};
