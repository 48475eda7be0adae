import type { AdapterMapping } from '../adapter-mapping.ts';

/**
 * River (Go): `river_job`. A job that will not be tried again is `discarded`. The same word stands for a duplicate that
 * the scheduler dropped because of a unique key; its metadata says so, and it is no failure.
 */
export const riverMapping: AdapterMapping = {
  adapter: 'river',
  title: 'River',
  defaultTable: 'public.river_job',
  relations: [],
  fields: {
    id: { column: 'id', use: 'key', required: true },
    source: { column: 'queue', use: 'text', required: true },
    jobType: { column: 'kind', use: 'text', required: true },
    status: { column: 'state', use: 'state', required: true },
    attempts: { column: 'attempt', use: 'count', required: true },
    maxAttempts: { column: 'max_attempts', use: 'count', required: true },
    error: { sql: `{errors}[array_upper({errors}, 1)] ->> 'error'`, use: 'anything', required: false },
    // A pending job is held back until something else is done, so that it is never due.
    dueAt: {
      sql: `case when {state}::text = 'pending' then 'infinity' else {scheduled_at} end`,
      use: 'instant',
      required: false,
    },
    startedAt: { column: 'attempted_at', use: 'instant', required: false },
    finishedAt: { column: 'finalized_at', use: 'instant', required: true },
    createdAt: { column: 'created_at', use: 'instant', required: false },
    changedAt: { column: 'finalized_at', use: 'instant', required: true },
  },
  states: {
    waiting: ['available', 'scheduled', 'retryable', 'pending'],
    running: ['running'],
    failed: [],
    // "is not null" is always so; it is the predicate of River's index, which then serves the rows without a time as well.
    dead: {
      sql: `{state} = 'discarded' and {finalized_at} is not null and not {metadata} ? 'unique_key_conflict'`,
    },
    succeeded: ['completed'],
    canceled: { sql: `{state} = 'cancelled' or ({state} = 'discarded' and {metadata} ? 'unique_key_conflict')` },
  },
  failedForGood: 'true',
  runKey: null,
  identityTimes: ['finishedAt', 'startedAt', 'createdAt'],
  indexes: [
    {
      // River's own since migration 2.
      purpose: 'finding new failures',
      nameSuffix: 'state_and_finalized_at',
      fields: ['status', 'changedAt'],
      key: '{status}, {changedAt}',
      where: '{changedAt} is not null',
      leading: 2,
    },
    {
      purpose: 'finding the success of failed work',
      nameSuffix: 'successes',
      fields: ['source', 'jobType', 'finishedAt', 'status'],
      key: '{source}, {jobType}, {finishedAt}',
      where: '{status} in ({successes})',
      leading: 2,
    },
  ],
  version: {
    sql: `select max(version)::text as version from {schema}.river_migration where line = 'main'`,
    from: 4,
    to: 7,
    of: 'migration of River (line main)',
  },
  retention: {
    failuresMs: 7 * 86_400_000,
    words:
      "River's cleaner deletes discarded jobs after 7 days, completed and cancelled ones after 24 hours, by default.",
  },
  deletesSuccesses: false,
  reads: [],
  traps: [
    'retryable is no failure yet: the job is waiting for its next try.',
    'A snooze takes the attempt back, so that the number of attempts alone does not tell two failures apart.',
    'discarded with unique_key_conflict in its metadata is a duplicate that was dropped, not a failure.',
    'The rescuer discards a job that has run for an hour longer than its timeout even when it is still alive. River then ignores ' +
      'that the job completes: the row stays discarded until somebody retries it.',
    'cancelled is a choice, not a failure.',
    'A job retried by hand goes on in the same row; when it is discarded again, that is a new failure.',
    'pending is held back on purpose and never counts as stalled.',
  ],
};
