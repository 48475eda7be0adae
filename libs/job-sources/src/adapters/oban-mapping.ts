import type { AdapterMapping } from '../adapter-mapping.ts';

/**
 * Oban (Elixir): `oban_jobs`. The times are `timestamp without time zone` and hold UTC. A job that will not be tried again
 * is `discarded`; one that failed and will be tried again is `retryable`, which is a way of waiting.
 */
export const obanMapping: AdapterMapping = {
  adapter: 'oban',
  title: 'Oban',
  defaultTable: 'public.oban_jobs',
  relations: [],
  fields: {
    id: { column: 'id', use: 'key', required: true },
    source: { column: 'queue', use: 'text', required: true },
    jobType: { column: 'worker', use: 'text', required: true },
    status: { column: 'state', use: 'state', required: true },
    attempts: { column: 'attempt', use: 'count', required: true },
    maxAttempts: { column: 'max_attempts', use: 'count', required: true },
    // Oban appends what each try raised; a job discarded by Lifeline has none for its last one.
    error: { sql: `{errors}[array_upper({errors}, 1)] ->> 'error'`, use: 'anything', required: false },
    // A suspended job is held back on purpose, so that it is never due. Compared as text: older enums lack the label.
    dueAt: {
      sql: `case when {state}::text = 'suspended' then 'infinity' else {scheduled_at} end`,
      use: 'instant',
      required: false,
    },
    startedAt: { column: 'attempted_at', use: 'instant', required: false },
    // By state, because the time of a discard stays when the job then completes after all. The comparison is one of the
    // enum, which an index may hold.
    finishedAt: {
      sql: `case {state} when 'completed' then {completed_at} when 'discarded' then {discarded_at} when 'cancelled' then {cancelled_at} end`,
      use: 'instant',
      required: true,
    },
    createdAt: { column: 'inserted_at', use: 'instant', required: false },
    changedAt: { column: 'discarded_at', use: 'instant', required: true },
  },
  states: {
    waiting: ['available', 'scheduled', 'retryable', 'suspended'],
    running: ['executing'],
    failed: [],
    dead: ['discarded'],
    succeeded: ['completed'],
    canceled: ['cancelled'],
  },
  failedForGood: 'true',
  runKey: null,
  identityTimes: ['finishedAt', 'startedAt', 'createdAt'],
  indexes: [
    {
      // Oban's own since migration 13.
      purpose: 'finding new failures',
      nameSuffix: 'state_discarded_at',
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
    // Oban keeps its migration's number as the comment on the table.
    sql: `select obj_description('{table}'::regclass, 'pg_class') as version`,
    from: 13,
    to: 14,
    of: 'migration of Oban',
  },
  retention: {
    failuresMs: 60_000,
    words:
      "Oban's Pruner deletes completed, cancelled and discarded jobs after 60 s by default, looking every 30 s. A completed job " +
      'counts from when it was scheduled, so that one that ran for longer is deleted at the next look.',
  },
  deletesSuccesses: false,
  reads: [],
  traps: [
    'Times are without time zone and hold UTC, whatever the time zone of the session is.',
    'retryable is no failure yet: the job is waiting for its next try.',
    'A snooze takes the attempt back, so that the number of attempts alone does not tell two failures apart.',
    'Lifeline discards a job that has been executing for 60 minutes, without an error text, even when it is still alive; ' +
      'if it then completes, the same row becomes completed and keeps its time of discard.',
    'cancelled is a choice, not a failure, even when it carries an error.',
    'A job retried by hand goes on in the same row; when it is discarded again, that is a new failure.',
    'suspended is held back on purpose and never counts as stalled.',
  ],
};
