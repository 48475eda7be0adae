import { randomUUID } from 'node:crypto';
import { AlertId, decideFailure, isAfter, isCanary, isCondition, limitsFor, stepName } from '@tocsin/alert-model';
import type { AlertState, FailureSignal, Opening } from '@tocsin/alert-model';
import { mutesFor } from '../matching-silences.ts';
import { guarded, outcomeOf, settle, succeedAgain } from './ingestion.ts';
import type { Ingestion, KnownFailure } from './ingestion.ts';
import { reachThreshold } from './reach-threshold.ts';

/** Most notes of an occurrence: as many as its signal may carry. */
const notesMax = 10;

/**
 * A job failed, or a condition began. It is an occurrence of the open alert of its key, or opens one; unless its rule has
 * a threshold that is not reached: then it waits.
 */
export const takeFailure = (ingestion: Ingestion, failure: KnownFailure): void => {
  const { key, threshold } = failure.classification;
  if (threshold === null) {
    const opens = !ingestion.open.has(key);
    recordFailure(ingestion, failure);
    absorbWaiting(ingestion, key, opens);
  } else {
    const belongs = belongsToAlert(ingestion, failure);
    // Also where it is told anyway: it may be what others of its key have waited for.
    const reached = reachThreshold(ingestion, failure, threshold);
    if (reached.length === 0 && !belongs) {
      ingestion.waiting.set(key, [...(ingestion.waiting.get(key) ?? []), failure]);
      return;
    }
    for (const told of reached.length === 0 ? [failure] : reached) recordFailure(ingestion, told);
    if (belongs) absorbWaiting(ingestion, key, false);
  }
  succeedAgain(ingestion, key);
};

/** Records one occurrence. */
const recordFailure = (ingestion: Ingestion, { signal, classification, held }: KnownFailure): void => {
  const { open, predecessors, silences, work, now, outcomes, released, alertOf } = ingestion;
  if (held) released.push(signal.outcomeId);
  guarded(ingestion, signal, () => {
    const { key } = classification;
    const state = open.get(key) ?? null;
    const alertId = state?.id ?? AlertId.parse(randomUUID());
    const decision = decideFailure(state, { ...signal, notes: signal.notes.slice(0, notesMax) }, classification, {
      now,
      alertId,
      predecessor: predecessors.get(key) ?? null,
      silences: mutesFor(silences, { signal, classification, state, now }),
      openDigestIds: ingestion.openDigestIds,
      flapping: state === null && !isCanary(signal) ? flappingOf(ingestion, key) : null,
    });
    settle(ingestion, work.apply(alertId, decision));
    outcomes.push(outcomeOf(signal, alertId, 'recorded'));
    if (isCondition(signal.kind)) alertOf.set(signal.outcomeId, alertId);
  });
};

/** A key that came and went more often than the policy allows is flapping from its next alert on. */
const flappingOf = ({ context, flaps }: Ingestion, key: string): Opening['flapping'] => {
  const { flapping } = context.policy;
  const before = flaps.get(key) ?? 0;
  if (flapping === null || before < flapping.times) return null;
  return { count: before + 1, withinMs: flapping.withinMs, holdMs: flapping.holdMs };
};

/**
 * Whether a failure with a threshold is told without being counted, because the problem it belongs to is told already.
 * Decided by when things happened, not by when they were heard of, so that any order of delivery ends the same way.
 */
const belongsToAlert = (ingestion: Ingestion, { signal, classification, held }: KnownFailure): boolean => {
  const { key } = classification;
  const { failedAt } = signal;
  const state = ingestion.open.get(key);
  // One that waited and is older than the alert did not count when the alert opened.
  if (state !== undefined && held && isAfter(state.firstFailedAt, failedAt)) return false;
  if (state !== undefined && !isAfterRecovery(ingestion, state, signal)) return true;
  // It failed while an alert was open that was resolved before this could be told in it.
  if (held)
    return (ingestion.resolved.get(key) ?? []).some(
      ({ firstFailedAt, resolution }) =>
        !isAfter(firstFailedAt, failedAt) && resolution !== null && !isAfter(failedAt, resolution.resolvedAt),
    );
  const predecessor = ingestion.predecessors.get(key) ?? state?.predecessor ?? null;
  return predecessor !== null && !isAfter(failedAt, predecessor.resolvedAt);
};

/**
 * Whether the job has succeeded after everything the alert is owed and then failed anew: the success, which was not heard
 * of yet, will resolve the alert. Only where the success is surely of the same step: outside chains, and where the history
 * that came with the failure is that of its own target.
 */
const isAfterRecovery = ({ context }: Ingestion, state: AlertState, signal: FailureSignal): boolean => {
  const success = signal.history?.lastSuccessAt ?? null;
  if (success === null || state.chain !== null || state.owedUntracked > 0) return false;
  const owed = Object.values(state.owed);
  if (owed.length === 0 || Object.keys(state.suspicions).length > 0) return false;
  const { groupBy } = limitsFor(context.policy.rules, signal);
  if (signal.targetId !== null && !groupBy.includes('targetId')) return false;
  const name = stepName(signal);
  return owed.every(({ step, failedAt }) => stepName(step) === name && isAfter(success, failedAt));
};

/**
 * Once an alert is open, what waited below a threshold of its key is told in it.
 *
 * @param opened the alert was opened just now: then also what is older than it
 */
const absorbWaiting = (ingestion: Ingestion, key: string, opened: boolean): void => {
  for (const failure of ingestion.waiting.get(key) ?? []) {
    const state = ingestion.open.get(key);
    if (state === undefined) return;
    const waited = { ...failure, held: true };
    if (!opened && !belongsToAlert(ingestion, waited)) continue;
    remove(ingestion, key, failure);
    recordFailure(ingestion, failure);
  }
};

const remove = ({ waiting }: Ingestion, key: string, failure: KnownFailure): void => {
  waiting.set(
    key,
    (waiting.get(key) ?? []).filter((other) => other !== failure),
  );
};
