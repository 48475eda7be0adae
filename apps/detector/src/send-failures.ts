import type { FailureSignal, Instant, OutcomeId, RunContext, Signal } from '@tocsin/alert-model';
import { readRunContexts } from '@tocsin/job-sources';
import type { JobSource } from '@tocsin/job-sources';
import { inTransaction, isConnectionError } from '@tocsin/runtime';
import { batchSignals } from './batch-signals.ts';
import type { DetectorContext, DetectorSession } from './detector-ports.ts';
import type { TableState } from './table-state.ts';

/** What is known of a run beyond the failed job may take this long to read, in milliseconds; then it is told without. */
const runContextTimeoutMs = 2_000;

/** Name of the cursor of a watched table. */
export const cursorName = (table: string): string => `scan/${table}`;

/**
 * Announces outcomes, sends the signals of those that nobody announced before, and moves the cursor, all in one
 * transaction: after a crash at any point either all of it has happened or none. Two detectors that read the same rows
 * send each signal once, because an outcome is announced by one of them only.
 *
 * @param cursor where the cursor may stand once these are sent; null when these rows are none of the scan's
 */
export const sendFailures = async (
  context: DetectorContext,
  state: TableState,
  source: JobSource,
  failures: readonly FailureSignal[],
  cursor: Instant | null,
): Promise<{ readonly sent: ReadonlySet<OutcomeId>; readonly duplicates: number }> => {
  const signals = await withRunContexts(context, state, source, failures);
  const sent = await context.store.transaction('detector.scan', async (session) => {
    const fresh = await session.announceOutcomes(
      signals.map(({ outcomeId: id, table, jobId, kind, failedAt }) => ({ id, table, jobId, kind, failedAt })),
    );
    await enqueueSignals(
      context,
      session,
      signals.filter(({ outcomeId }) => fresh.has(outcomeId)),
    );
    if (cursor !== null) await session.saveCursor(cursorName(source.name), cursor, {});
    return fresh;
  });
  // Only now, because a transaction that failed has announced nothing.
  for (const { outcomeId } of signals) state.announced.set(outcomeId, true);
  return { sent, duplicates: signals.length - sent.size };
};

/** Adds signals to the queue as part of the session's transaction. */
export const enqueueSignals = async (
  { queue }: DetectorContext,
  session: DetectorSession,
  signals: readonly Signal[],
): Promise<void> => {
  if (signals.length === 0) return;
  await queue.enqueue(
    session.tx,
    batchSignals(signals).map((data) => ({ queue: 'signals', data })),
  );
};

/** The same failures with what is known of their runs. A failure told without it is better than one told late. */
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
