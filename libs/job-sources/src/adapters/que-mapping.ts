import type { AdapterMapping } from '../adapter-mapping.ts';

/** The class under which Active Job enqueues; the real one is in the arguments. */
const wrapper = 'ActiveJob::QueueAdapters::QueAdapter::JobWrapper';

/**
 * A worker has the job: an advisory lock with one 64-bit key has objsubid 1 and the key's halves in classid and objid
 * (https://www.postgresql.org/docs/current/view-pg-locks.html). It stands in the conditions that need it, not in a
 * relation: pg_locks is volatile, and Postgres would ask it in every scan.
 */
const locked = `exists (
  select from pg_catalog.pg_locks as held
  where held.locktype = 'advisory' and held.granted and held.objsubid = 1
    and held.database = (select oid from pg_catalog.pg_database where datname = current_database())
    and ((held.classid::bigint << 32) | held.objid::bigint) = {id}
)`;

/**
 * Que 2 (Ruby): a worker holds an advisory lock with the job's id while it has the job; there is no other trace of it in
 * the table, and a lock ends with its connection. A success deletes the row, unless the job calls `finish`.
 */
export const queMapping: AdapterMapping = {
  adapter: 'que',
  title: 'Que',
  defaultTable: 'public.que_jobs',
  relations: [],
  fields: {
    id: { column: 'id', use: 'key', required: true },
    source: { column: 'queue', use: 'text', required: true },
    jobType: {
      sql: `case {job_class} when '${wrapper}' then coalesce({args} -> 0 ->> 'job_class', {job_class}) else {job_class} end`,
      use: 'text',
      required: true,
    },
    status: {
      sql: `case
        when {expired_at} is not null then 'expired'
        when {finished_at} is not null then 'finished'
        when ${locked} then 'locked'
        when {error_count} > 0 then 'errored'
        when {run_at} > now() then 'scheduled'
        else 'ready'
      end`,
      use: 'text',
      required: false,
    },
    attempts: { column: 'error_count', use: 'count', required: false },
    error: {
      sql: `nullif(concat_ws(E'\\n', {last_error_message}, {last_error_backtrace}), '')`,
      use: 'anything',
      required: false,
    },
    dueAt: { column: 'run_at', use: 'instant', required: false },
    finishedAt: { column: 'finished_at', use: 'instant', required: true },
    changedAt: { column: 'expired_at', use: 'instant', required: true },
  },
  states: {
    waiting: { sql: `{finished_at} is null and {expired_at} is null and not ${locked}` },
    running: { sql: `{finished_at} is null and {expired_at} is null and ${locked}` },
    failed: { sql: '{expired_at} is not null' },
    dead: [],
    succeeded: { sql: '{finished_at} is not null and {expired_at} is null' },
    canceled: [],
  },
  failedForGood: 'true',
  runKey: null,
  identityTimes: ['changedAt'],
  indexes: [
    {
      purpose: 'finding new failures',
      nameSuffix: 'failures',
      fields: ['changedAt', 'id'],
      key: '{changedAt}, {id}',
      where: '{changedAt} is not null',
      leading: 1,
    },
    {
      purpose: 'finding the success of failed work',
      nameSuffix: 'successes',
      fields: ['source', 'finishedAt'],
      key: '{source}, {finishedAt}',
      where: '{finishedAt} is not null',
      leading: 1,
    },
  ],
  version: {
    sql: `select pg_catalog.obj_description('{table}'::regclass, 'pg_class') as version`,
    from: 4,
    to: 7,
    of: 'schema version of Que',
  },
  retention: {
    failuresMs: null,
    words:
      'Expired jobs stay until somebody deletes or reruns them. Successes are deleted at once, unless the job calls finish.',
  },
  deletesSuccesses: true,
  reads: [],
  traps: [
    'error_count > 0 is a retry to come; only expired_at ends a job.',
    'A success deletes the row, so a row that is gone may be one.',
    'The error of the last try is not written (que-rb/que#447): the text told is that of the try before.',
    'Under Active Job job_class is a wrapper; the real class is in the arguments.',
    'The lock of a worker that died is gone with its connection: its job waits again.',
  ],
};
