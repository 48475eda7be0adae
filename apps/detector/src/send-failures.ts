import type { FailureSignal, Instant, OutcomeId, RunContext, Signal } from '@tocsin/alert-model';
import { addMs, limitsFor } from '@tocsin/alert-model';
import { readHistory, readRunContexts } from '@tocsin/job-sources';
import type { JobSource } from '@tocsin/job-sources';
import { inTransaction, isConnectionError } from '@tocsin/runtime';
import { batchSignals } from './batch-signals.ts';
import { countFailures } from './detector-metrics.ts';
import type { DetectorContext, DetectorSession } from './detector-ports.ts';
import { withSourceSuccesses } from './source-successes.ts';
import type { ScanState, Scanned, TableState } from './table-state.ts';

/** What is known of a run beyond the failed job may take this long to read, in milliseconds; then it is told without. */
const runContextTimeoutMs = 2_000;

/** Failures whose history is read by one statement. */
const historiesPerReadMax = 500;

/** Name of the cursor of a watched table. */
export const cursorName = (table: string, what: Scanned): string =>
  what === 'failures' ? `scan/${table}` : `scan/${table}/${what}`;

/**
 * Announces outcomes, sends the signals of those that nobody announced before, and moves the cursor, all in one
 * transaction: after a crash at any point either all of it has happened or none. Two detectors that read the same rows
 * send each signal once, because an outcome is announced by one of them only.
 *
 * @param moved the scan they are of and where its cursor may stand once they are sent; null when they are none of a scan's
 */
export const sendFailures = async (
  context: DetectorContext,
  state: TableState,
  source: JobSource,
  failures: readonly FailureSignal[],
  moved: { readonly scan: ScanState; readonly to: Instant } | null,
): Promise<{ readonly sent: ReadonlySet<OutcomeId>; readonly duplicates: number }> => {
  const signals = await withContexts(context, state, source, failures);
  const sent = await context.store.transaction('detector.scan', async (session) => {
    const fresh = await session.announceOutcomes(
      signals.map(({ outcomeId: id, table, jobId, kind, failedAt }) => ({ id, table, jobId, kind, failedAt })),
    );
    await enqueueSignals(
      context,
      session,
      signals.filter(({ outcomeId }) => fresh.has(outcomeId)),
    );
    if (moved !== null) await session.saveCursor(cursorName(source.name, moved.scan.what), moved.to, {});
    return fresh;
  });
  // Only now, because a transaction that failed has announced nothing.
  for (const { outcomeId } of signals) state.announced.set(outcomeId, true);
  countFailures(
    context.metrics,
    signals.filter(({ outcomeId }) => sent.has(outcomeId)),
  );
  return { sent, duplicates: signals.length - sent.size };
};

/** Adds signals to the queue as part of the session's transaction. */
export const enqueueSignals = async (
  { queue }: Pick<DetectorContext, 'queue'>,
  session: DetectorSession,
  signals: readonly Signal[],
): Promise<void> => {
  if (signals.length === 0) return;
  await queue.enqueue(
    session.tx,
    batchSignals(signals).map((data) => ({ queue: 'signals', data })),
  );
};

/**
 * The same failures with what is known of their runs, and of what came before them where a threshold asks. A failure told
 * without it is better than one told late.
 */
export const withContexts = async (
  context: DetectorContext,
  state: TableState,
  source: JobSource,
  failures: readonly FailureSignal[],
): Promise<readonly FailureSignal[]> =>
  withSourceSuccesses(
    context,
    state,
    source,
    await withHistories(context, state, source, await withRunContexts(context, state, source, failures)),
  );

/** The same failures with what is known of their runs. */
export const withRunContexts = async (
  { log }: DetectorContext,
  { table }: TableState,
  source: JobSource,
  failures: readonly FailureSignal[],
): Promise<readonly FailureSignal[]> => {
  if (!source.readsRuns || failures.every(({ run }) => run === null)) return failures;
  let contexts: ReadonlyMap<string, RunContext>;
  try {
    contexts = await inTransaction(table.pool, 'detector.run_context', async (tx) => {
      await tx.query("select set_config('statement_timeout', $1, true)", [String(runContextTimeoutMs)]);
      return readRunContexts(tx, source, failures);
    });
  } catch (error) {
    if (isConnectionError(error)) throw error;
    log.warn(
      { decision: 'RunContextSkipped', table: source.name, failures: failures.length, err: error },
      'the other jobs of the runs could not be read in time; the failures are told without them',
    );
    return failures;
  }
  return failures.map((failure) => ({ ...failure, runContext: contexts.get(failure.outcomeId) ?? null }));
};

/** Adds when the same work last succeeded, and how often lately, to failures whose rule has a threshold. */
const withHistories = async (
  { log, policy }: DetectorContext,
  { table }: TableState,
  source: JobSource,
  failures: readonly FailureSignal[],
): Promise<readonly FailureSignal[]> => {
  const asking = failures.flatMap((failure) => {
    const { threshold, groupBy } = limitsFor(policy.rules, failure);
    if (threshold === null) return [];
    const since = threshold.kind === 'in-a-row' ? null : addMs(failure.failedAt, -threshold.withinMs);
    return [{ failure, since, target: groupBy.includes('targetId') ? { id: failure.targetId } : ('any' as const) }];
  });
  if (asking.length === 0) return failures;
  try {
    const histories = new Map<OutcomeId, FailureSignal['history']>();
    for (let from = 0; from < asking.length; from += historiesPerReadMax) {
      const chunk = asking.slice(from, from + historiesPerReadMax);
      const found = await readHistory(
        table.pool,
        source,
        chunk.map(({ failure, since, target }) => ({
          source: failure.source,
          jobType: failure.jobType,
          target,
          since,
          before: failure.failedAt,
        })),
        {},
      );
      for (const [n, { failure }] of chunk.entries()) histories.set(failure.outcomeId, found[n] ?? null);
    }
    return failures.map((failure) => ({ ...failure, history: histories.get(failure.outcomeId) ?? null }));
  } catch (error) {
    if (isConnectionError(error)) throw error;
    log.warn(
      { decision: 'HistorySkipped', table: source.name, failures: asking.length, err: error },
      'what came before these failures could not be read; their thresholds count the failures alone',
    );
    return failures;
  }
};
