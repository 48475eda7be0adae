import { randomUUID } from 'node:crypto';
import { addMs, decideSuccess, isAfter, shorten } from '@tocsin/alert-model';
import type {
  AlertId,
  AlertState,
  Classification,
  DigestId,
  FailureSignal,
  Instant,
  Opening,
  OutcomeId,
  Signal,
  SuccessSignal,
} from '@tocsin/alert-model';
import type { Silence } from '@tocsin/event-store';
import type { ServiceContext, Session } from '../service-context.ts';
import type { UnitOfWork } from '../unit-of-work.ts';

/** One row for `recordOutcomes`. */
export type Outcome = Parameters<Session['recordOutcomes']>[0][number];
/** One row for `quarantine`. */
export type Quarantined = Parameters<Session['quarantine']>[0][number];

/** A failure, and what rules, chains and routes make of it. */
export interface KnownFailure {
  readonly signal: FailureSignal;
  readonly classification: Classification;
  /** It came with a batch before this one and was held below its threshold. */
  readonly held: boolean;
}

/** One batch of signals on its way into the log: what was loaded, and what was decided so far. */
export interface Ingestion {
  readonly context: ServiceContext;
  readonly session: Session;
  readonly work: UnitOfWork;
  readonly now: Instant;
  /** Open alerts by key, as decided so far. */
  readonly open: Map<string, AlertState>;
  /** For keys without an open alert: the latest resolved one. */
  readonly predecessors: Map<string, NonNullable<Opening['predecessor']>>;
  /** How many alerts of a key were resolved within the time in which that counts as flapping. */
  readonly flaps: Map<string, number>;
  /** Silences that have begun and not ended. */
  readonly silences: readonly Silence[];
  /** Digests that are not sealed, where there are silences. */
  readonly openDigestIds: ReadonlySet<DigestId>;
  /** Alerts resolved by this batch, by key. */
  readonly resolved: Map<string, readonly AlertState[]>;
  /** Successes heard of lately, by key. */
  readonly remembered: Map<string, SuccessSignal[]>;
  readonly keysBySuccess: ReadonlyMap<OutcomeId, readonly string[]>;
  /** Failures below their threshold by key, oldest first: those held before, then those of this batch. */
  readonly waiting: Map<string, KnownFailure[]>;
  /** Keys with a failure of this batch that has been judged. */
  readonly judged: Set<string>;
  /** Held failures that are held no more. */
  readonly released: OutcomeId[];
  /** The alert of each outcome, for conditions and repairs that follow it. */
  readonly alertOf: Map<OutcomeId, AlertId>;
  /** Repairs that an alert has already. */
  readonly knownRepairs: ReadonlySet<string>;
  readonly repairs: { readonly id: string; readonly alertId: AlertId }[];
  readonly outcomes: Outcome[];
  readonly quarantined: Quarantined[];
  readonly counts: { ended: number; repaired: number };
}

/** Takes note of what a decision made of an alert. */
export const settle = (
  { open, resolved, predecessors, flaps, now, context }: Ingestion,
  state: AlertState | null,
): void => {
  if (state === null) return;
  const { id, key } = state;
  if (state.state !== 'resolved') {
    open.set(key, state);
    return;
  }
  open.delete(key);
  const resolvedAt = state.resolution?.resolvedAt ?? now;
  const known = predecessors.get(key);
  const recentCount = (known?.recentCount ?? 0) + 1;
  // The newest is the one that was resolved last, as the store sees it too, not the one of which was heard last.
  const isNewest = known === undefined || !isAfter(known.resolvedAt, resolvedAt);
  predecessors.set(key, isNewest ? { alertId: id, resolvedAt, recentCount } : { ...known, recentCount });
  resolved.set(key, [...(resolved.get(key) ?? []), state]);
  // Counted as the store counts those of earlier batches.
  const { flapping } = context.policy;
  if (flapping !== null && isAfter(resolvedAt, addMs(now, -flapping.withinMs)))
    flaps.set(key, (flaps.get(key) ?? 0) + 1);
};

/** Lets a success count for the open alert of a key, if there is one. */
export const succeed = (ingestion: Ingestion, key: string, signal: SuccessSignal): void => {
  const state = ingestion.open.get(key);
  if (state !== undefined)
    settle(ingestion, ingestion.work.apply(state.id, decideSuccess(state, signal, ingestion.now)));
};

/** A success may have come before what it follows in time. */
export const succeedAgain = (ingestion: Ingestion, key: string): void => {
  for (const signal of ingestion.remembered.get(key) ?? []) succeed(ingestion, key, signal);
};

/** Runs what one signal leads to. When it throws, this signal alone is put into quarantine. */
export const guarded = (ingestion: Ingestion, signal: Signal, run: () => void): void => {
  try {
    run();
  } catch (error) {
    const reason = shorten(error instanceof Error ? error.message : String(error), 1_000);
    ingestion.quarantined.push({ id: randomUUID(), queue: 'signals', payload: signal, reason });
    if (signal.signal === 'FailureDetected' || signal.signal === 'SuccessDetected')
      ingestion.outcomes.push(outcomeOf(signal, null, 'quarantined'));
  }
};

export const outcomeOf = (
  signal: FailureSignal | SuccessSignal,
  alertId: AlertId | null,
  disposition: Outcome['disposition'],
): Outcome => ({
  id: signal.outcomeId,
  table: signal.table,
  jobId: signal.jobId,
  kind: signal.signal === 'FailureDetected' ? signal.kind : 'succeeded',
  failedAt: signal.signal === 'FailureDetected' ? signal.failedAt : signal.finishedAt,
  alertId,
  disposition,
});

/** How a log line names a job. */
export const jobOf = (signal: FailureSignal): string => `${signal.table} ${signal.jobId}`;
