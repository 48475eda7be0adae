import type { AdapterMapping } from '../adapter-mapping.ts';

/** Characters of a failure's JSON that are searched for its class and message; backtraces come after them. */
const errorSearchedChars = 20_000;
/** Characters of a job's JSON that are searched for its number of tries, which stands behind its arguments. */
const argumentsSearchedChars = 200_000;

/** The value of a key in JSON written by Ruby, as it is escaped there; an end that was cut off is no harm. */
const rubyString = (json: string, key: string): string =>
  `substring(left(${json}, ${errorSearchedChars}) from '"${key}":"((?:[^"\\\\]|\\\\.)*)')`;

/** JSON escapes that Ruby writes into messages, and what they stand for; the backslash waits as a control character. */
const escapes: readonly (readonly [string, string])[] = [
  [String.raw`\\`, String.raw`E'\x01'`],
  [String.raw`\"`, `'"'`],
  [String.raw`\n`, String.raw`E'\n'`],
  [String.raw`\t`, String.raw`E'\t'`],
  [String.raw`\u003c`, "'<'"],
  [String.raw`\u003e`, "'>'"],
  [String.raw`\u0026`, "'&'"],
];

/**
 * Text out of JSON as people read it. Never a cast to json: NUL and halves of surrogate pairs, which Ruby lets through,
 * would fail the statement for the whole page.
 */
const unescaped = (text: string): string =>
  `replace(${escapes.reduce(
    (expression, [escape, character]) => `replace(${expression}, '${escape}', ${character})`,
    text,
  )}, E'\\x01', '\\')`;

/**
 * Solid Queue 1 (Rails): a job's state is in which other table it has a row; the jobs table alone only says `finished_at`.
 *
 * With `retry_on`, Active Job ends a failed try by enqueueing a new row with the same `active_job_id`; Solid Queue then
 * marks the old row finished as if it had succeeded. So a finished row counts as a success only if no younger row has its
 * `active_job_id`. The new row is committed before the old one is finished, hence no moment in which it looks otherwise.
 */
export const solidQueueMapping: AdapterMapping = {
  adapter: 'solid_queue',
  title: 'Solid Queue',
  defaultTable: 'public.solid_queue_jobs',
  relations: [
    {
      sql: `
        select
          job.*,
          failed.job_id as failed_job_id,
          failed.created_at as failed_at,
          failed.error as failure,
          claimed.job_id as claimed_job_id,
          claimed.created_at as claimed_at,
          process.last_heartbeat_at as process_seen_at,
          exists (
            select from {table} as younger
            where younger.active_job_id = job.active_job_id and younger.id > job.id
          ) as tried_again
        from {table} as job
        left join {schema}.solid_queue_failed_executions as failed on failed.job_id = job.id
        left join {schema}.solid_queue_claimed_executions as claimed on claimed.job_id = job.id
        left join {schema}.solid_queue_processes as process on process.id = claimed.process_id`,
      needs: {
        '{table}': ['id', 'queue_name', 'class_name', 'active_job_id', 'finished_at'],
        solid_queue_failed_executions: ['job_id', 'error', 'created_at'],
        solid_queue_claimed_executions: ['job_id', 'process_id', 'created_at'],
        solid_queue_processes: ['id', 'last_heartbeat_at'],
      },
      versions: 'Solid Queue since 1.0, September 2024',
    },
  ],
  fields: {
    id: { column: 'id', use: 'key', required: true },
    source: { column: 'queue_name', use: 'text', required: true },
    jobType: { column: 'class_name', use: 'text', required: true },
    status: {
      sql: `case
        when {failed_job_id} is not null then 'failed'
        when {finished_at} is not null and {tried_again} then 'retried'
        when {finished_at} is not null then 'finished'
        when {claimed_job_id} is not null then 'claimed'
        else 'waiting'
      end`,
      use: 'text',
      required: false,
    },
    // How often Active Job had tried when the row was written, and this row's own try.
    attempts: {
      sql: `substring(right({arguments}, ${argumentsSearchedChars}) from '"executions":([0-9]{1,6}),"exception_executions":')::integer
        + case when {finished_at} is null and {failed_job_id} is null and {claimed_job_id} is null then 0 else 1 end`,
      use: 'count',
      required: false,
    },
    error: {
      sql: `case
        when {failure} like '{"exception_class":"%'
        then ${unescaped(`coalesce(${rubyString('{failure}', 'exception_class')} || ': ' || ${rubyString('{failure}', 'message')}, {failure})`)}
        else {failure}
      end`,
      use: 'anything',
      required: false,
    },
    dueAt: { column: 'scheduled_at', use: 'instant', required: false },
    startedAt: { column: 'claimed_at', use: 'instant', required: false },
    heartbeatAt: { column: 'process_seen_at', use: 'instant', required: false },
    finishedAt: { column: 'finished_at', use: 'instant', required: true },
    createdAt: { column: 'created_at', use: 'instant', required: false },
    changedAt: { column: 'failed_at', use: 'instant', required: true },
  },
  states: {
    // The ids of the joined rows, because the planner knows that a missing one means a missing row.
    waiting: { sql: '{finished_at} is null and {failed_job_id} is null and {claimed_job_id} is null' },
    running: { sql: '{finished_at} is null and {failed_job_id} is null and {claimed_job_id} is not null' },
    failed: { sql: '{failed_job_id} is not null' },
    dead: [],
    succeeded: { sql: '{finished_at} is not null and not {tried_again}' },
    canceled: { sql: '{finished_at} is not null and {tried_again}' },
  },
  failedForGood: 'true',
  runKey: null,
  identityTimes: ['changedAt'],
  indexes: [
    {
      purpose: 'finding new failures',
      nameSuffix: 'failures',
      table: 'solid_queue_failed_executions',
      fields: [],
      key: 'created_at, job_id',
      where: '',
      leading: 1,
    },
    {
      purpose: 'finding the success of failed work',
      nameSuffix: 'successes',
      fields: ['source', 'jobType', 'finishedAt'],
      key: '{jobType}, {source}, {finishedAt}',
      where: '{finishedAt} is not null',
      leading: 2,
    },
  ],
  version: null,
  retention: {
    failuresMs: null,
    words:
      'Failures are kept until somebody retries or discards them, which deletes the row in solid_queue_failed_executions. ' +
      'Finished jobs are cleared after 1 day; at once with preserve_finished_jobs = false, and then recoveries cannot be seen.',
  },
  deletesSuccesses: false,
  reads: ['solid_queue_failed_executions', 'solid_queue_claimed_executions', 'solid_queue_processes'],
  traps: [
    'A finished row of a job with retry_on is a failed try when a younger row has its active_job_id.',
    'Retrying or discarding a failure deletes its row: that is no success.',
    'A retried job that fails again is a new outcome of the same job.',
    'A worker that dies is found out by its process heartbeat; another process then fails its jobs with ProcessPrunedError.',
    'Error text is JSON, in which NUL and half surrogate pairs may stand; it is never cast.',
  ],
};
