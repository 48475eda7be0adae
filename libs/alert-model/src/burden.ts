import { owedMax, runsMax, suspicionsMax } from './alert-state.ts';
import type { AlertState, Owed, Suspicion } from './alert-state.ts';
import type { EventNamed } from './event.ts';
import type { Instant } from './ids.ts';
import { later } from './instant.ts';
import { ownValue } from './own-value.ts';
import { isCondition, stepIn, stepName } from './signal.ts';
import type { Step } from './signal.ts';

/** What a failure leaves behind: a condition is suspected until it ends, everything else owes a success. */
export const burden = (
  state: AlertState,
  { data }: EventNamed<'FailureDetected'>,
): Pick<AlertState, 'suspicions' | 'owed' | 'owedUntracked'> => {
  const { suspicions, owed, owedUntracked } = state;
  const step = stepIn(state.chain?.steps ?? null, data);
  const { kind, run, jobId, failedAt } = data;
  if (isCondition(kind) && Object.keys(suspicions).length < suspicionsMax)
    return {
      suspicions: { ...suspicions, [data.outcomeId]: { kind, step, run, jobId, failedAt } },
      owed,
      owedUntracked,
    };
  const missing = data.missing.map((one) => ({ step: one, missing: true }));
  return { suspicions, ...owe(state, [{ step, missing: false }, ...missing], failedAt, run) };
};

/** A condition ended badly: its work owes a success since then. */
export const oweOne = (
  state: AlertState,
  { step, failedAt, run }: Suspicion,
): Pick<AlertState, 'owed' | 'owedUntracked'> => owe(state, [{ step, missing: false }], failedAt, run);

const owe = (
  state: AlertState,
  steps: readonly { readonly step: Step; readonly missing: boolean }[],
  failedAt: Instant,
  run: string | null,
): Pick<AlertState, 'owed' | 'owedUntracked'> => {
  let { owed, owedUntracked } = state;
  for (const { step, missing } of steps) {
    const name = stepName(step);
    const known = ownValue(owed, name);
    // A full record is neither counted nor copied again: a storm brings 100,000 of these.
    if (known === undefined && (owedUntracked > 0 || Object.keys(owed).length >= owedMax)) owedUntracked += 1;
    else owed = { ...owed, [name]: addDebt(known, step, missing, failedAt, run ?? '') };
  }
  return { owed, owedUntracked };
};

const addDebt = (known: Owed | undefined, step: Step, missing: boolean, failedAt: Instant, run: string): Owed => {
  if (known === undefined) return { step, missing, failedAt, failedAtByRun: { [run]: failedAt } };
  const before = ownValue(known.failedAtByRun, run);
  const failedAtByRun = { ...known.failedAtByRun, [run]: before === undefined ? failedAt : later(before, failedAt) };
  return {
    step,
    missing: known.missing && missing,
    failedAt: later(known.failedAt, failedAt),
    failedAtByRun: newestRuns(failedAtByRun),
  };
};

/** Runs are named by their start, so the oldest names go first; what happened outside a run is always kept. */
export const newestRuns = <Value>(byRun: Readonly<Record<string, Value>>): Readonly<Record<string, Value>> => {
  const runs = Object.keys(byRun).filter((run) => run !== '');
  return runs.length <= runsMax ? byRun : without(byRun, runs.toSorted()[0] ?? '');
};

/** The record without one entry; the same record when it has none of that name. */
export const without = <Value>(
  record: Readonly<Record<string, Value>>,
  key: string,
): Readonly<Record<string, Value>> => {
  if (!(key in record)) return record;
  // Six times as fast for a thousand entries as a rest pattern, which matters when a thousand conditions end at once.
  const rest = { ...record };
  delete rest[key];
  return rest;
};
