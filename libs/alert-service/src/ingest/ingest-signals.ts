import { isAfter, orderSignals } from '@tocsin/alert-model';
import type { FailureSignal, Instant, OutcomeId, Signal, SuccessSignal } from '@tocsin/alert-model';
import type { SourceSuccesses } from '../judge-storms.ts';
import { logDecided } from '../log-decided.ts';
import type { ServiceContext, Session, TocsinJob } from '../service-context.ts';
import { beginWork } from '../unit-of-work.ts';
import type { UnitOfWork } from '../unit-of-work.ts';
import { beginIngestion } from './begin-ingestion.ts';
import { classifyFailures } from './classify-failures.ts';
import { takeEnd, takeRepair } from './follow-conditions.ts';
import { guarded, succeed } from './ingestion.ts';
import type { Ingestion, KnownFailure } from './ingestion.ts';
import { keepWaiting } from './reach-threshold.ts';
import { readSignals } from './read-signals.ts';
import type { ReadSignals } from './read-signals.ts';
import { takeFailure } from './take-failure.ts';
import { tellQuarantine } from './tell-quarantine.ts';

/** What became of one batch of signals. */
export interface Ingested {
  readonly recorded: number;
  readonly duplicates: number;
  readonly ignored: number;
  /** Kept back: below the threshold of their rule. */
  readonly held: number;
  readonly quarantined: number;
  readonly successes: number;
  /** Conditions of alerts that hold no more. */
  readonly ended: number;
  /** Repairs that alerts have taken in. */
  readonly repaired: number;
}

/**
 * Takes signals into the log: one transaction for the batch, in which the jobs that carried them are completed too.
 * A signal that cannot be read or applied is put into quarantine, is told as an alert of its own, and holds back nothing.
 * May run twice for the same signals; the second run finds every outcome recorded.
 */
export const ingestSignals = async (context: ServiceContext, jobs: readonly TocsinJob[]): Promise<Ingested> => {
  const raw = jobs.flatMap((job) => (job.data as { signals: readonly unknown[] }).signals);
  const result = await context.store.transaction('notifier.ingest', async (session) => {
    await session.lockLog();
    const now = await session.now();
    const signals = readSignals(raw, now);
    const work = beginWork(context, session, now, successesOf(signals.failures));
    const ingested = await ingest(context, session, work, signals, now);
    await work.flush();
    await context.queue.completeInTransaction(session.tx, jobs);
    return { ingested, decided: work.decided };
  });
  logDecided(context, result.decided);
  context.observer?.ingested(result.ingested);
  return result.ingested;
};

const ingest = async (
  context: ServiceContext,
  session: Session,
  work: UnitOfWork,
  signals: ReadSignals,
  now: Instant,
): Promise<Ingested> => {
  const known = await session.recordedOutcomes(signals.failures.map((signal) => signal.outcomeId));
  const fresh = signals.failures.filter((signal) => !known.has(signal.outcomeId));
  const classified = classifyFailures(context, fresh, now);
  const { ingestion, failures, aftermath } = await beginIngestion(
    context,
    session,
    work,
    now,
    signals,
    classified.failures,
  );
  const { outcomes, quarantined } = ingestion;
  quarantined.push(...signals.quarantined);
  outcomes.push(...signals.outcomes, ...classified.ignored);

  const failureOf = new Map(failures.map((failure) => [failure.signal.outcomeId, failure]));
  const timeline: readonly Signal[] = [
    ...failures.map((failure) => failure.signal),
    ...signals.successes,
    ...aftermath.ends,
    ...aftermath.repairs,
  ];
  for (const signal of orderSignals(timeline)) guarded(ingestion, signal, () => take(ingestion, signal, failureOf));

  await session.rememberSuccesses(
    signals.successes.flatMap((signal) =>
      (ingestion.keysBySuccess.get(signal.outcomeId) ?? []).map((key) => ({ key, signal })),
    ),
  );
  const held = await keepWaiting(ingestion);
  await tellQuarantine(ingestion);
  await session.recordOutcomes(outcomes);
  await session.recordRepairs(ingestion.repairs);
  return {
    recorded: outcomes.filter((outcome) => outcome.disposition === 'recorded').length,
    duplicates: signals.failures.length - fresh.length,
    ignored: outcomes.filter((outcome) => outcome.disposition === 'ignored').length,
    held,
    quarantined: quarantined.length,
    successes: signals.successes.length,
    ...ingestion.counts,
  };
};

/** How many jobs of each source succeeded lately, by the failure that was read last. */
const successesOf = (failures: readonly FailureSignal[]): SourceSuccesses => {
  const newest = new Map<string, { readonly at: Instant; readonly successes: number }>();
  for (const { source, sourceSuccesses, observedAt } of failures) {
    const known = newest.get(source);
    if (sourceSuccesses !== null && (known === undefined || isAfter(observedAt, known.at)))
      newest.set(source, { at: observedAt, successes: sourceSuccesses });
  }
  return new Map([...newest].map(([source, { successes }]) => [source, successes]));
};

const take = (ingestion: Ingestion, signal: Signal, failureOf: ReadonlyMap<OutcomeId, KnownFailure>): void => {
  switch (signal.signal) {
    case 'FailureDetected': {
      const failure = failureOf.get(signal.outcomeId);
      if (failure !== undefined) takeFailure(ingestion, failure);
      return;
    }
    case 'SuccessDetected':
      takeSuccess(ingestion, signal);
      return;
    case 'ConditionEnded':
      takeEnd(ingestion, signal);
      return;
    case 'JobRepaired':
      takeRepair(ingestion, signal);
      return;
    default:
      signal satisfies never;
  }
};

/** Watched work succeeded: it may be what the open alert of one of its keys waits for. */
const takeSuccess = (ingestion: Ingestion, signal: SuccessSignal): void => {
  for (const key of ingestion.keysBySuccess.get(signal.outcomeId) ?? []) {
    const known = ingestion.remembered.get(key);
    if (known === undefined) ingestion.remembered.set(key, [signal]);
    else known.push(signal);
    succeed(ingestion, key, signal);
  }
};
