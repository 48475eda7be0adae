import type { AdapterMapping, Relation } from '../adapter-mapping.ts';

/** Jobs with the last sign of life of the worker that holds them; `error` is SQL over the alias `task`. */
const jobsWithWorkers = (error: string): string => `
  select
    task.id,
    task.job_type,
    task.status,
    task.attempts,
    task.max_attempts,
    task.run_at,
    task.lock_at,
    task.done_at,
    ${error} as error,
    worker.last_seen
  from {table} as task
  left join {schema}.workers as worker on worker.id = task.lock_by`;

const jobColumns = [
  'id',
  'job_type',
  'status',
  'attempts',
  'max_attempts',
  'run_at',
  'lock_at',
  'lock_by',
  'done_at',
] as const;
const workerColumns = ['id', 'last_seen'] as const;

const withResult: Relation = {
  sql: jobsWithWorkers(`case when jsonb_typeof(task.last_result) = 'object' and task.last_result ? 'Err'
      then task.last_result ->> 'Err' else task.last_result::text end`),
  needs: { '{table}': [...jobColumns, 'last_result'], workers: workerColumns },
  versions: 'apalis-postgres since 2025-10',
};

// The text is json as the worker wrote it. It is not parsed, because one row that holds something else would fail the
// whole statement; what stays is the escaping of quotes and line ends.
const withError: Relation = {
  sql: jobsWithWorkers(`case when task.last_error like '{"Err":"%"}'
      then substr(task.last_error, 9, length(task.last_error) - 10) else task.last_error end`),
  needs: { '{table}': [...jobColumns, 'last_error'], workers: workerColumns },
  versions: 'apalis-sql up to 0.7',
};

/**
 * Apalis (Rust): `apalis.jobs`. `Failed` is tried again while attempts are left; `Killed` is the end. The times of the
 * last try stay on the row while it is tried again.
 */
export const apalisMapping: AdapterMapping = {
  adapter: 'apalis',
  title: 'Apalis',
  defaultTable: 'apalis.jobs',
  relations: [withResult, withError],
  fields: {
    id: { column: 'id', use: 'key', required: true },
    source: { value: 'apalis' },
    jobType: { column: 'job_type', use: 'text', required: true },
    status: { column: 'status', use: 'state', required: true },
    attempts: { column: 'attempts', use: 'count', required: true },
    maxAttempts: { column: 'max_attempts', use: 'count', required: true },
    error: { column: 'error', use: 'anything', required: false },
    // A job that failed and has attempts left waits since it failed, not since it was first due.
    dueAt: { sql: 'greatest({run_at}, {done_at})', use: 'instant', required: false },
    startedAt: { column: 'lock_at', use: 'instant', required: false },
    heartbeatAt: { column: 'last_seen', use: 'instant', required: false },
    finishedAt: { column: 'done_at', use: 'instant', required: true },
    // There is no time of creation; what comes nearest is when it was to run.
    createdAt: { column: 'run_at', use: 'instant', required: false },
    changedAt: { column: 'done_at', use: 'instant', required: true },
  },
  states: {
    waiting: ['Pending'],
    running: ['Queued', 'Running'],
    failed: ['Failed'],
    dead: ['Killed'],
    succeeded: ['Done'],
    canceled: [],
  },
  failedForGood: '{attempts} >= {maxAttempts}',
  runKey: null,
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
      fields: ['jobType', 'finishedAt', 'status'],
      key: '{jobType}, {finishedAt}',
      where: '{status} in ({successes})',
      leading: 2,
    },
    {
      // Apalis had an index on the status until August 2026.
      purpose: 'watching running jobs',
      nameSuffix: 'running',
      fields: ['status'],
      key: '{status}',
      where: `{status} in ('Queued', 'Running')`,
      leading: 1,
    },
  ],
  version: {
    // Its migrations are recorded by sqlx, beside the jobs or among the application's own; the columns tell as much.
    sql: `
      select case
        when max(format_type(atttypid, null)) filter (where attname = 'metadata') = 'hstore' then '202608'
        when count(*) filter (where attname = 'last_result') > 0 then '202510'
        else '202205'
      end as version
      from pg_attribute
      where attrelid = '{table}'::regclass and attnum > 0 and not attisdropped`,
    from: 202_205,
    to: 202_608,
    of: "layout of Apalis's tables (year and month)",
  },
  retention: {
    failuresMs: null,
    words:
      'Apalis keeps all jobs until somebody calls its vacuum, which deletes what is done, killed or failed for good.',
  },
  deletesSuccesses: false,
  reads: ['workers'],
  traps: [
    'Failed with attempts left is no failure yet: workers fetch it again.',
    'Killed is the end even when attempts are left: the job gave itself up.',
    'A job that is tried again keeps the end time and the error of the try before.',
    'The error moved from last_error (text) to last_result (jsonb) in October 2025.',
    'The sign of life is that of the worker, not of the job: a job that hangs in a living worker is found by how long it runs.',
    'A job whose worker died is made Pending again with its old due time, so that it may count as stalled at once.',
  ],
};
