import { randomUUID } from 'node:crypto';
import {
  AlertId,
  OutcomeId,
  Signal,
  classifyFailure,
  compareInstants,
  decideFailure,
  decideSuccess,
  keysOfSuccess,
  shorten,
} from '@tocsin/alert-model';
import type { AlertState, Classification, FailureSignal, Instant, Opening, SuccessSignal } from '@tocsin/alert-model';
import { z } from 'zod';
import { logDecided } from './log-decided.ts';
import type { ServiceContext, Session, TocsinJob } from './service-context.ts';
import { beginWork } from './unit-of-work.ts';
import type { UnitOfWork } from './unit-of-work.ts';

/** What became of one batch of signals. */
export interface Ingested {
  readonly recorded: number;
  readonly duplicates: number;
  readonly ignored: number;
  readonly quarantined: number;
  readonly successes: number;
}

type Outcomes = Parameters<Session['recordOutcomes']>[0][number];
type Quarantined = Parameters<Session['quarantine']>[0][number];

interface Failure {
  readonly signal: FailureSignal;
  readonly classification: Classification;
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
    const work = beginWork(context, session, now);
    const ingested = await ingest(context, session, work, raw, now);
    await work.flush();
    await context.queue.completeInTransaction(session.tx, jobs);
    return { ingested, decided: work.decided };
  });
  logDecided(context.log, result.decided);
  return result.ingested;
};

const ingest = async (
  context: ServiceContext,
  session: Session,
  work: UnitOfWork,
  raw: readonly unknown[],
  now: Instant,
): Promise<Ingested> => {
  const quarantined: Quarantined[] = [];
  const outcomes: Outcomes[] = [];
  const signals = raw.map((payload) => read(payload, now, quarantined, outcomes));

  const failures = distinct(signals.filter((signal) => signal.signal === 'FailureDetected'));
  const successes = distinct(signals.filter((signal) => signal.signal === 'SuccessDetected'));
  const known = await session.recordedOutcomes(failures.map((signal) => signal.outcomeId));
  const fresh = failures.filter((signal) => !known.has(signal.outcomeId));

  const classified: Failure[] = [];
  let ignored = 0;
  for (const signal of fresh) {
    const classification = classifyFailure(signal, context.policy);
    if ('ignoredBy' in classification) {
      ignored += 1;
      outcomes.push(outcomeOf(signal, null, 'ignored'));
      context.log.info(
        { decision: 'FailureIgnored', reason: classification.ignoredBy, job: jobOf(signal) },
        'failure ignored by rule',
      );
    } else classified.push({ signal, classification });
  }

  const keysBySuccess = new Map(successes.map((signal) => [signal.outcomeId, keysOfSuccess(signal, context.policy)]));
  const failureKeys = [...new Set(classified.map(({ classification }) => classification.key))];
  const keys = [...new Set([...failureKeys, ...[...keysBySuccess.values()].flat()])];
  const open = new Map<string, AlertState>();
  const loaded = await session.loadOpenAlertsByKey(keys);
  work.load(loaded);
  for (const state of loaded) open.set(state.key, state);
  const predecessors = await loadPredecessors(
    session,
    failureKeys.filter((key) => !open.has(key)),
  );
  const remembered = groupByKey(await session.recentSuccesses(failureKeys));

  const settle = (state: AlertState | null): void => {
    if (state === null) return;
    if (state.state !== 'resolved') {
      open.set(state.key, state);
      return;
    }
    open.delete(state.key);
    const recentCount = (predecessors.get(state.key)?.recentCount ?? 0) + 1;
    predecessors.set(state.key, { alertId: state.id, resolvedAt: state.resolution?.resolvedAt ?? now, recentCount });
  };
  const succeed = (state: AlertState, signal: SuccessSignal): void => {
    settle(work.apply(state.id, decideSuccess(state, signal, now)));
  };

  const timeline = [...classified, ...successes].toSorted((a, b) => compareInstants(timeOf(a), timeOf(b)));
  for (const entry of timeline) {
    try {
      if ('signal' in entry && 'classification' in entry) {
        const { key } = entry.classification;
        const state = open.get(key) ?? null;
        const alertId = state?.id ?? AlertId.parse(randomUUID());
        const decision = decideFailure(state, entry.signal, entry.classification, {
          now,
          alertId,
          predecessor: predecessors.get(key) ?? null,
        });
        settle(work.apply(alertId, decision));
        outcomes.push(outcomeOf(entry.signal, alertId, 'recorded'));
        // A success may have come before the failure it follows in time.
        for (const signal of remembered.get(key) ?? []) {
          const current = open.get(key);
          if (current !== undefined) succeed(current, signal);
        }
      } else {
        for (const key of keysBySuccess.get(entry.outcomeId) ?? []) {
          remember(remembered, key, entry);
          const current = open.get(key);
          if (current !== undefined) succeed(current, entry);
        }
      }
    } catch (error) {
      const payload = 'classification' in entry ? entry.signal : entry;
      quarantined.push({ id: randomUUID(), queue: 'signals', payload, reason: reasonOf(error) });
      outcomes.push({ ...outcomeOf(payload, null, 'quarantined') });
    }
  }

  await session.rememberSuccesses(
    successes.flatMap((signal) => (keysBySuccess.get(signal.outcomeId) ?? []).map((key) => ({ key, signal }))),
  );
  if (quarantined.length > 0) await tellQuarantine(context, session, work, open, quarantined, now);
  await session.recordOutcomes(outcomes);
  return {
    recorded: outcomes.filter((outcome) => outcome.disposition === 'recorded').length,
    duplicates: failures.length - fresh.length,
    ignored,
    quarantined: quarantined.length,
    successes: successes.length,
  };
};

/** Parses one signal. What cannot be parsed goes into quarantine and comes back as nothing to do. */
const read = (
  payload: unknown,
  now: Instant,
  quarantined: Quarantined[],
  outcomes: Outcomes[],
): Signal | { readonly signal: 'unreadable' } => {
  const parsed = Signal.safeParse(payload);
  if (parsed.success) return parsed.data;
  quarantined.push({
    id: randomUUID(),
    queue: 'signals',
    payload,
    reason: shorten(z.prettifyError(parsed.error), 1_000),
  });
  // Where the detector announced an outcome, it is accounted for: it lies in quarantine.
  const announced = z.object({ outcomeId: OutcomeId, signal: z.literal('FailureDetected') }).safeParse(payload);
  if (announced.success)
    outcomes.push({
      id: announced.data.outcomeId,
      table: 'unreadable',
      jobId: 'unreadable',
      kind: 'failed',
      failedAt: now,
      alertId: null,
      disposition: 'quarantined',
    });
  return { signal: 'unreadable' };
};

/** Quarantine is itself a failure that somebody must learn of: one alert of Tocsin's own, told on the usual routes. */
const tellQuarantine = async (
  context: ServiceContext,
  session: Session,
  work: UnitOfWork,
  open: Map<string, AlertState>,
  quarantined: readonly Quarantined[],
  now: Instant,
): Promise<void> => {
  await session.quarantine(quarantined);
  for (const entry of quarantined)
    context.log.error(
      { decision: 'SignalQuarantined', quarantineId: entry.id, reason: entry.reason },
      'signal put into quarantine',
    );
  const signal: FailureSignal = {
    v: 1,
    signal: 'FailureDetected',
    outcomeId: OutcomeId.parse(randomUUID()),
    table: 'tocsin.quarantine',
    jobId: quarantined[0]?.id ?? 'none',
    kind: 'failed',
    source: 'tocsin',
    jobType: 'read_signal',
    targetId: null,
    attempts: null,
    maxAttempts: null,
    error: shorten(
      `${quarantined.length} signal(s) could not be taken in; see tocsin doctor. First reason: ${quarantined[0]?.reason ?? ''}`,
      1_000,
    ),
    failedAt: now,
    run: null,
    runContext: null,
    notes: [],
    observedAt: now,
  };
  const classification = classifyFailure(signal, { ...context.policy, rules: [] });
  if ('ignoredBy' in classification) return;
  const state = open.get(classification.key) ?? (await session.loadOpenAlertsByKey([classification.key]))[0] ?? null;
  if (state !== null) work.load([state]);
  const alertId = state?.id ?? AlertId.parse(randomUUID());
  work.apply(alertId, decideFailure(state, signal, classification, { now, alertId, predecessor: null }));
};

const loadPredecessors = async (
  session: Session,
  keys: readonly string[],
): Promise<Map<string, NonNullable<Opening['predecessor']>>> => {
  const rows = keys.length === 0 ? [] : await session.loadPredecessors(keys);
  return new Map(rows.map(({ key, alertId, resolvedAt, recentCount }) => [key, { alertId, resolvedAt, recentCount }]));
};

const distinct = <Item extends { readonly outcomeId: OutcomeId }>(items: readonly Item[]): readonly Item[] => [
  ...new Map(items.map((item) => [item.outcomeId, item])).values(),
];

const groupByKey = (entries: readonly { key: string; signal: SuccessSignal }[]): Map<string, SuccessSignal[]> => {
  const groups = new Map<string, SuccessSignal[]>();
  for (const { key, signal } of entries) remember(groups, key, signal);
  return groups;
};

const remember = (groups: Map<string, SuccessSignal[]>, key: string, signal: SuccessSignal): void => {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [signal]);
  else group.push(signal);
};

const timeOf = (entry: Failure | SuccessSignal): Instant =>
  'classification' in entry ? entry.signal.failedAt : entry.finishedAt;

const jobOf = (signal: FailureSignal | SuccessSignal): string => `${signal.table} ${signal.jobId}`;

const outcomeOf = (
  signal: FailureSignal | SuccessSignal,
  alertId: AlertId | null,
  disposition: Outcomes['disposition'],
): Outcomes => ({
  id: signal.outcomeId,
  table: signal.table,
  jobId: signal.jobId,
  kind: signal.signal === 'FailureDetected' ? signal.kind : 'succeeded',
  failedAt: signal.signal === 'FailureDetected' ? signal.failedAt : signal.finishedAt,
  alertId,
  disposition,
});

const reasonOf = (error: unknown): string => shorten(error instanceof Error ? error.message : String(error), 1_000);
