import type { AdapterMapping } from './adapter-mapping.ts';

/**
 * `research_jobs`: one row per job, workers count attempts and set `failed` after each failed try, a janitor sets `dead`.
 *
 * A `failed` row whose counters say nothing usable (no value, or negative) counts as failed for good: a failure told too
 * early is a nuisance, a failure nobody hears of is what this product exists to prevent.
 */
export const researchJobsMapping: AdapterMapping = {
  adapter: 'research_jobs',
  columns: {
    id: { column: 'id', use: 'key', required: true },
    source: { column: 'source', use: 'text', required: true },
    jobType: { column: 'job_type', use: 'text', required: true },
    targetId: { column: 'target_id', use: 'text', required: false },
    status: { column: 'status', use: 'state', required: true },
    attempts: { column: 'attempts', use: 'count', required: true },
    maxAttempts: { column: 'max_attempts', use: 'count', required: true },
    payload: { column: 'payload', use: 'document', required: false },
    error: { column: 'error', use: 'anything', required: false },
    startedAt: { column: 'started_at', use: 'instant', required: false },
    finishedAt: { column: 'finished_at', use: 'instant', required: true },
    createdAt: { column: 'created_at', use: 'instant', required: false },
    changedAt: { column: 'updated_at', use: 'instant', required: true },
  },
  states: {
    failed: ['failed'],
    dead: ['dead'],
    succeeded: ['succeeded'],
    quiet: ['pending', 'running', 'canceled'],
  },
  failedForGood:
    '({attempts} >= {maxAttempts} or {attempts} is null or {attempts} < 0 or {maxAttempts} is null or {maxAttempts} < 0)',
  runKey: 'chain_started_at',
  identityTimes: ['finishedAt', 'startedAt', 'createdAt'],
  indexes: [
    {
      purpose: 'finding new failures',
      nameSuffix: 'failures',
      fields: ['changedAt', 'id', 'status'],
      key: '{changedAt}, {id}',
      where: '{status} in ({failures})',
      leading: 1,
    },
    {
      purpose: 'finding the success of failed work',
      nameSuffix: 'successes',
      fields: ['source', 'jobType', 'targetId', 'finishedAt', 'status'],
      key: '{source}, {jobType}, {targetId}, {finishedAt}',
      where: '{status} in ({successes})',
      leading: 2,
    },
    {
      purpose: 'reading the other jobs of a chain run',
      nameSuffix: 'chain_runs',
      fields: ['source', 'payload'],
      key: "{source}, ({payload} ->> '{runKey}')",
      where: "{payload} ->> '{runKey}' is not null",
      leading: 2,
    },
  ],
};
