import type { AdapterMapping } from '../adapter-mapping.ts';

/** GoodJob deletes finished and discarded jobs this old (`cleanup_preserved_jobs_before_seconds_ago`). */
const retentionMs = 14 * 24 * 60 * 60 * 1_000;

/** What GoodJob writes into `error` when a person discards an unfinished job on its dashboard. */
const discardedByHand = "{error} like 'GoodJob::Job::DiscardJobError:%'";

/**
 * GoodJob 4 (Rails): one row per Active Job, kept through all its retries; there is no status column.
 *
 * `error` alone says nothing: it stays filled while the job waits for its retry (`error_event` 3, retried) and while it
 * runs again. Only together with `finished_at` it means that GoodJob gave up; a success empties it.
 */
export const goodJobMapping: AdapterMapping = {
  adapter: 'good_job',
  title: 'GoodJob',
  defaultTable: 'public.good_jobs',
  relations: [
    {
      sql: `
        select job.*, process.updated_at as process_seen_at
        from {table} as job
        left join {schema}.good_job_processes as process on process.id = job.locked_by_id`,
      needs: {
        '{table}': ['id', 'finished_at', 'performed_at', 'error', 'locked_by_id'],
        good_job_processes: ['id', 'updated_at'],
      },
      versions: 'GoodJob since 3.29, May 2024',
    },
  ],
  fields: {
    id: { column: 'id', use: 'key', required: true },
    source: { column: 'queue_name', use: 'text', required: true },
    jobType: { column: 'job_class', use: 'text', required: true },
    status: {
      sql: `case
        when {finished_at} is not null and {error} is null then 'succeeded'
        when {finished_at} is not null then 'discarded'
        when {performed_at} is not null then 'running'
        when {error} is not null then 'retried'
        else 'queued'
      end`,
      use: 'text',
      required: false,
    },
    attempts: { column: 'executions_count', use: 'count', required: false },
    error: { column: 'error', use: 'anything', required: true },
    dueAt: { column: 'scheduled_at', use: 'instant', required: false },
    startedAt: { column: 'performed_at', use: 'instant', required: true },
    heartbeatAt: { column: 'process_seen_at', use: 'instant', required: false },
    finishedAt: { column: 'finished_at', use: 'instant', required: true },
    createdAt: { column: 'created_at', use: 'instant', required: false },
    changedAt: { column: 'finished_at', use: 'instant', required: true },
  },
  states: {
    waiting: { sql: '{finished_at} is null and {performed_at} is null' },
    running: { sql: '{finished_at} is null and {performed_at} is not null' },
    failed: { sql: `{finished_at} is not null and {error} is not null and not ${discardedByHand}` },
    dead: [],
    succeeded: { sql: '{finished_at} is not null and {error} is null' },
    canceled: { sql: `{finished_at} is not null and {error} is not null and ${discardedByHand}` },
  },
  failedForGood: 'true',
  runKey: null,
  identityTimes: ['finishedAt'],
  indexes: [
    {
      purpose: 'finding new failures',
      nameSuffix: 'failures',
      fields: ['finishedAt', 'id', 'error'],
      key: '{finishedAt}, {id}',
      where: '{finishedAt} is not null and {error} is not null',
      leading: 1,
    },
    {
      purpose: 'finding the success of failed work',
      nameSuffix: 'successes',
      fields: ['source', 'jobType', 'finishedAt', 'error'],
      key: '{jobType}, {source}, {finishedAt}',
      where: '{finishedAt} is not null and {error} is null',
      leading: 2,
    },
  ],
  version: null,
  retention: {
    failuresMs: retentionMs,
    words:
      'Finished and discarded jobs are deleted after 14 days; at once with preserve_job_records = false, and then failures ' +
      'cannot be seen.',
  },
  deletesSuccesses: false,
  reads: ['good_job_processes'],
  traps: [
    'error without finished_at is a retry to come, not a failure.',
    'A job discarded by a person on the dashboard is canceled, not failed.',
    'A job retried by hand keeps its row and its error; failing again is a new outcome.',
    'A killed worker leaves performed_at set: the row looks as if it were running until another worker takes it.',
    'With preserve_job_records = false failed rows are deleted when they fail.',
  ],
};
