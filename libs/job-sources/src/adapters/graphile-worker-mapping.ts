import type { AdapterMapping } from '../adapter-mapping.ts';

/** Columns of the public view `jobs` that are read. */
const viewColumns = [
  'id',
  'queue_name',
  'task_identifier',
  'run_at',
  'attempts',
  'max_attempts',
  'last_error',
  'created_at',
  'updated_at',
  'key',
  'locked_at',
  'locked_by',
] as const;

/** Columns of `_private_jobs` that are read where the base tables are watched. */
const baseColumns = [
  'id',
  'job_queue_id',
  'task_id',
  'payload',
  'run_at',
  'attempts',
  'max_attempts',
  'last_error',
  'created_at',
  'updated_at',
  'key',
  'locked_at',
  'locked_by',
] as const;

/**
 * When the last try failed. Neither taking nor failing a job touches `updated_at` (since 0.14). Failing sets
 * `run_at = greatest(now(), run_at) + exp(least(attempts, 10)) * interval '1 second'`, whether or not another try follows
 * (dist/sql/failJobs.js of 0.18.0), so the time is what is left when that delay is taken off again.
 */
const failedAt = `({run_at} - exp(least({attempts}, 10)) * interval '1 second')`;

/** Marked by hand (`permanently_fail_jobs`), a job has its time in `updated_at`. */
const endedAt = `greatest({updated_at}, ${failedAt})`;

/** Nobody works on it, and its tries are used up. Written as the predicate of the index below. */
const spent = '{locked_at} is null and {attempts} >= {max_attempts}';

/**
 * Graphile Worker: the public view `jobs` over private tables, no status column. Written for and tested with 0.18.0
 * (migration 20). The row of a success is deleted at once.
 */
export const graphileWorkerMapping: AdapterMapping = {
  adapter: 'graphile_worker',
  title: 'Graphile Worker',
  defaultTable: 'graphile_worker.jobs',
  relations: [
    {
      sql: `select ${viewColumns.map((column) => `job.${column}`).join(', ')} from {table} as job`,
      needs: { '{table}': viewColumns },
      versions: 'the view jobs, 0.16 and later',
    },
    {
      sql:
        `select ${baseColumns.map((column) => `job.${column}`).join(', ')}, ` +
        'queue.queue_name, task.identifier as task_identifier from {table} as job ' +
        'join {schema}._private_tasks as task on task.id = job.task_id ' +
        'left join {schema}._private_job_queues as queue on queue.id = job.job_queue_id',
      needs: {
        '{table}': baseColumns,
        _private_tasks: ['id', 'identifier'],
        _private_job_queues: ['id', 'queue_name'],
      },
      versions: 'the private tables, 0.16 and later',
    },
  ],
  fields: {
    id: { column: 'id', use: 'key', required: true },
    source: { sql: `coalesce({queue_name}, 'default')`, use: 'text', required: true },
    jobType: { column: 'task_identifier', use: 'text', required: true },
    status: {
      sql:
        `case when {locked_at} is not null then 'locked' when {attempts} < {max_attempts} then 'available' ` +
        `when {last_error} is not null then 'failed' else 'abandoned' end`,
      use: 'state',
      required: true,
    },
    attempts: { column: 'attempts', use: 'count', required: true },
    maxAttempts: { column: 'max_attempts', use: 'count', required: true },
    payload: { column: 'payload', use: 'document', required: false },
    error: { column: 'last_error', use: 'anything', required: true },
    dueAt: { column: 'run_at', use: 'instant', required: true },
    startedAt: { column: 'locked_at', use: 'instant', required: true },
    finishedAt: { sql: `case when ${spent} then ${endedAt} end`, use: 'instant', required: true },
    createdAt: { column: 'created_at', use: 'instant', required: true },
    changedAt: {
      sql: `case when {locked_at} is null and {last_error} is not null then ${endedAt} else greatest({updated_at}, {locked_at}) end`,
      use: 'instant',
      required: true,
    },
  },
  states: {
    waiting: { sql: '{locked_at} is null and {attempts} < {max_attempts}' },
    running: { sql: '{locked_at} is not null' },
    failed: { sql: `${spent} and {last_error} is not null` },
    // Its worker died during the only or last try, and somebody took the lock off: no error, and nobody will try again.
    dead: { sql: `${spent} and {last_error} is null` },
    succeeded: { sql: 'false' },
    canceled: { sql: 'false' },
  },
  failedForGood: 'true',
  runKey: 'chain_started_at',
  // Each try that fails moves it; neither `permanently_fail_jobs` on a job that has failed already nor a change of its
  // priority does.
  identityTimes: ['dueAt'],
  indexes: [
    {
      purpose: 'finding new failures',
      nameSuffix: 'tocsin_failures',
      table: '_private_jobs',
      fields: [],
      key: 'run_at, id',
      where: 'locked_at is null and attempts >= max_attempts',
      leading: 1,
    },
    {
      purpose: 'looking after running jobs',
      nameSuffix: 'tocsin_running',
      table: '_private_jobs',
      fields: [],
      key: 'locked_at',
      where: 'locked_at is not null',
      leading: 1,
    },
    {
      purpose: 'finding jobs that nobody picks up',
      nameSuffix: 'tocsin_waiting',
      table: '_private_jobs',
      fields: [],
      key: 'run_at',
      where: 'locked_at is null and attempts < max_attempts',
      leading: 1,
    },
  ],
  version: {
    sql: 'select max(id)::text as version from {schema}.migrations',
    from: 17,
    to: 20,
    of: 'latest migration of Graphile Worker',
  },
  retention: {
    failuresMs: null,
    words: 'Failed jobs stay until somebody removes them; successful ones are deleted at once.',
  },
  deletesSuccesses: true,
  reads: [],
  traps: [
    'attempts counts a try when it begins: a job in its last try has attempts = max_attempts and a lock. Only without the lock has it failed.',
    'add_job with the key of a job that is running, and remove_job on it, set attempts = max_attempts while it runs. When it succeeds it is gone; when it fails, that was its last try.',
    'A worker killed in the last try leaves a lock that lasts 4 hours. When it is taken off there may be no error at all: nobody tries again, and Tocsin tells the job as dead.',
    'Taking a lock off moves no time of the row that the scan goes by; such jobs are found by the full comparison (reconcile), within its interval.',
    'updated_at does not change when a job is taken or fails; the time of a failure is computed from run_at.',
    'The row of a success is deleted. That work is fine again is concluded from a newer job that was seen and is gone.',
    'add_job with the key of a job that failed for good makes a new job and takes the key away from the failed row, which touches its updated_at: it is still the same failure.',
    'The view shows no payload: for targets or chain runs out of the payload, watch graphile_worker._private_jobs.',
    'Row security is on for the private tables, with no policy: a role that owns nothing reads no rows there, without an error. The view is read with the rights of its owner.',
  ],
};
