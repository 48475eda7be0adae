import {
  forgetCanaryJobs,
  forgetDeliveries,
  forgetOutcomes,
  forgetProviderEvents,
  forgetRepairs,
  forgetSilences,
  forgetSuccesses,
} from '@tocsin/event-store';
import { inTransaction } from '@tocsin/runtime';
import type { Config, Logger, Pool, Queryable } from '@tocsin/runtime';

/** Successes are remembered for signals that arrive out of order; days are plenty. */
const successesKeptMs = 7 * 86_400_000;
/** Canaries serve one measurement each. */
const canariesKeptMs = 7 * 86_400_000;
/** Rows per transaction, and transactions per run: a backlog goes in several runs. */
const rowsPerPassMax = 2_000;
const passesMax = 100;

/**
 * Deletes what the configuration's `retention` says, in small transactions. Outcomes are kept for at least twice the
 * longest look-back, whatever the configuration says: a forgotten outcome that is still looked at would be told again.
 */
export const forgetOldRecords = async (
  pool: Pool,
  config: Pick<Config, 'retention' | 'jobs'>,
  log: Logger,
): Promise<void> => {
  const lookBackMs = Math.max(...config.jobs.map((job) => job.lookBackMs));
  const outcomesMs = Math.max(config.retention.outcomesMs, 2 * lookBackMs);
  const deleted = {
    successes: await repeat(pool, (tx) => forgetSuccesses(tx, successesKeptMs, rowsPerPassMax)),
    outcomes: await repeat(pool, (tx) => forgetOutcomes(tx, outcomesMs, rowsPerPassMax)),
    // After the outcomes they were for, as long as which they are kept.
    repairs: await repeat(pool, (tx) => forgetRepairs(tx, outcomesMs, rowsPerPassMax)),
    deliveries: await repeat(pool, (tx) => forgetDeliveries(tx, config.retention.deliveriesMs, rowsPerPassMax)),
    // What was said of deliveries goes with them, and so does who muted what.
    providerEvents: await repeat(pool, (tx) => forgetProviderEvents(tx, config.retention.deliveriesMs, rowsPerPassMax)),
    silences: await repeat(pool, (tx) => forgetSilences(tx, config.retention.deliveriesMs, rowsPerPassMax)),
    canaries: await repeat(pool, (tx) => forgetCanaryJobs(tx, canariesKeptMs, rowsPerPassMax)),
  };
  if (Object.values(deleted).some((count) => count > 0))
    log.info({ decision: 'RecordsForgotten', reason: 'their retention is over', ...deleted }, 'old records deleted');
};

const repeat = async (pool: Pool, pass: (tx: Queryable) => Promise<number>): Promise<number> => {
  let total = 0;
  for (let turn = 0; turn < passesMax; turn += 1) {
    const count = await inTransaction(pool, 'notifier.forget', pass);
    total += count;
    if (count < rowsPerPassMax) break;
  }
  return total;
};
