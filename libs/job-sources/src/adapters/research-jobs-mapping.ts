import type { AdapterMapping } from '../adapter-mapping.ts';
import { ordinaryFailedForGood, ordinaryIndexes } from '../ordinary-indexes.ts';

/**
 * `research_jobs`: one row per job, workers count attempts and set `failed` after each failed try, a janitor sets `dead`.
 *
 * A `failed` row whose counters say nothing usable (no value, or negative) counts as failed for good: a failure told too
 * early is a nuisance, a failure nobody hears of is what this product exists to prevent.
 */
export const researchJobsMapping: AdapterMapping = {
  adapter: 'research_jobs',
  title: 'research_jobs',
  defaultTable: 'public.research_jobs',
  relations: [],
  fields: {
    id: { column: 'id', use: 'key', required: true },
    source: { column: 'source', use: 'text', required: true },
    jobType: { column: 'job_type', use: 'text', required: true },
    targetId: { column: 'target_id', use: 'text', required: false },
    status: { column: 'status', use: 'state', required: true },
    attempts: { column: 'attempts', use: 'count', required: true },
    maxAttempts: { column: 'max_attempts', use: 'count', required: true },
    payload: { column: 'payload', use: 'document', required: false },
    error: { column: 'error', use: 'anything', required: false },
    dueAt: { column: 'run_after', use: 'instant', required: false },
    startedAt: { column: 'started_at', use: 'instant', required: false },
    heartbeatAt: { column: 'heartbeat_at', use: 'instant', required: false },
    finishedAt: { column: 'finished_at', use: 'instant', required: true },
    createdAt: { column: 'created_at', use: 'instant', required: false },
    changedAt: { column: 'updated_at', use: 'instant', required: true },
    failedCount: { column: 'result', path: ['failed'], use: 'count', required: false },
    totalCount: { column: 'result', path: ['total'], use: 'count', required: false },
    checkpoint: { column: 'payload', path: ['checkpoint'], use: 'document', required: false },
  },
  states: {
    waiting: ['pending'],
    running: ['running'],
    failed: ['failed'],
    dead: ['dead'],
    succeeded: ['succeeded'],
    canceled: ['canceled'],
  },
  failedForGood: ordinaryFailedForGood,
  runKey: 'chain_started_at',
  identityTimes: ['finishedAt', 'startedAt', 'createdAt'],
  indexes: ordinaryIndexes,
  version: null,
  retention: { failuresMs: null, words: 'Rows are kept until you delete them.' },
  deletesSuccesses: false,
  reads: [],
  traps: [
    '`failed` with attempts left is no failure yet; with attempts used up, or with counters that say nothing, it is.',
    'Parts are counted in `result`: `{"failed": 1, "total": 1000}`; elsewhere, name the place: `columns: {failed_count: result.errors}`.',
    'A worker that changes a row without setting updated_at is seen by the slower comparison only.',
  ],
};
