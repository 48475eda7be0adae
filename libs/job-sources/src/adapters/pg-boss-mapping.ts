import type { AdapterMapping, Relation } from '../adapter-mapping.ts';

/** Columns that every release since 11 has, as a mapping or a user's `columns` may name them. */
const columns = [
  'id',
  'name',
  'data',
  'state',
  'retry_limit',
  'retry_count',
  'start_after',
  'created_on',
  'started_on',
  'completed_on',
  'singleton_key',
  'output',
] as const;

/** Columns of newer releases that are of use, but not needed. */
const newer = ['heartbeat_on', 'group_id', 'source_name', 'source_id', 'source_created_on'] as const;

/**
 * When a job may be picked up. Two kinds of rows wait without anybody being late: children of a flow whose parents are not
 * done (`blocked`), and copies in a dead letter queue that nobody has begun to work on.
 */
const dueOn = (alias: string): string =>
  `case when ${alias}blocked or (${alias}source_id is not null and ${alias}started_on is null) ` +
  `then 'infinity'::timestamptz else ${alias}start_after end`;

const relation = (listed: readonly string[], due: string, versions: string): Relation => ({
  sql: `select ${listed.map((column) => `job.${column}`).join(', ')}, ${due} as due_on from {table} as job`,
  needs: { '{table}': listed },
  versions,
});

/**
 * pg-boss: one partitioned table, a queue is a `name`. Written for and tested with pg-boss 12.35 (schema 43); the
 * statements cited below are those of its `src/plans.ts`.
 *
 * A job is failed for good whenever its state says so: a retry is a state of its own, and a job may be failed with
 * retries left (disposition `deadletter`, or a retry that collides with a singleton).
 */
export const pgBossMapping: AdapterMapping = {
  adapter: 'pg_boss',
  title: 'pg-boss',
  defaultTable: 'pgboss.job',
  relations: [
    relation([...columns, ...newer, 'blocked'], dueOn('job.'), 'schema 34 and later (pg-boss 12.23)'),
    relation(columns, 'job.start_after', 'schema 25 to 33 (pg-boss 11.0 to 12.22)'),
  ],
  fields: {
    id: { column: 'id', use: 'key', required: true },
    source: { value: 'pg_boss' },
    jobType: { column: 'name', use: 'text', required: true },
    status: { column: 'state', use: 'state', required: true },
    // A try is counted when it begins, from the second one on; bigint, because nothing keeps a limit below 2^31 - 1.
    attempts: {
      sql: '({retry_count}::bigint + case when {started_on} is null then 0 else 1 end)',
      use: 'count',
      required: true,
    },
    maxAttempts: { sql: '({retry_limit}::bigint + 1)', use: 'count', required: true },
    payload: { column: 'data', use: 'document', required: false },
    // What a handler threw, with its stack; what pg-boss itself says (`job timed out`); else whatever was given.
    error: {
      sql: `coalesce({output} ->> 'stack', {output} ->> 'message', {output} -> 'value' ->> 'message', {output}::text)`,
      use: 'anything',
      required: false,
    },
    dueAt: { column: 'due_on', use: 'instant', required: true },
    startedAt: { column: 'started_on', use: 'instant', required: true },
    heartbeatAt: { column: 'heartbeat_on', use: 'instant', required: false },
    finishedAt: { column: 'completed_on', use: 'instant', required: true },
    createdAt: { column: 'created_on', use: 'instant', required: true },
    // No column tells of every change; this one dates those that end a job, which is what the scan goes by.
    changedAt: { column: 'completed_on', use: 'instant', required: true },
  },
  states: {
    waiting: ['created', 'retry'],
    running: ['active'],
    failed: ['failed'],
    dead: [],
    succeeded: ['completed'],
    canceled: ['cancelled'],
  },
  failedForGood: 'true',
  runKey: 'chain_started_at',
  identityTimes: ['finishedAt'],
  indexes: [
    {
      purpose: 'finding new failures',
      nameSuffix: 'tocsin_failures',
      table: 'job_common',
      fields: ['finishedAt', 'id', 'status'],
      key: '{finishedAt}, {id}',
      where: "{status} in ('failed')",
      leading: 1,
    },
    {
      purpose: 'finding the success of failed work, and how long jobs take',
      nameSuffix: 'tocsin_successes',
      table: 'job_common',
      fields: ['jobType', 'finishedAt', 'status'],
      key: '{jobType}, {finishedAt}',
      where: "{status} in ('completed')",
      leading: 2,
    },
    {
      purpose: 'looking after running jobs',
      nameSuffix: 'tocsin_running',
      table: 'job_common',
      fields: ['startedAt', 'status'],
      key: '{startedAt}',
      where: "{status} in ('active')",
      leading: 1,
    },
    {
      purpose: 'finding jobs that nobody picks up',
      nameSuffix: 'tocsin_waiting',
      table: 'job_common',
      // Tables without heartbeats are older than those with the other columns.
      fields: ['status', 'heartbeatAt'],
      key: `(${dueOn('')})`,
      where: "{status} in ('created', 'retry')",
      leading: 1,
    },
  ],
  version: {
    sql: 'select max(version)::text as version from {schema}.version',
    from: 34,
    to: 43,
    of: 'schema version of pg-boss',
  },
  retention: {
    failuresMs: 7 * 86_400_000,
    words:
      'Ended jobs, failed ones too, are deleted 7 days after their end (deleteAfterSeconds of the job or its queue); jobs that ' +
      'nobody picked up are deleted 14 days after they were due (retentionSeconds), and leave no trace.',
  },
  deletesSuccesses: false,
  reads: [],
  traps: [
    'A try that fails is deleted and inserted anew under the same id, in one statement: triggers and replication see a delete, the table as read at any moment never lacks the job.',
    'The state retry is not terminal; failed always is, also with retries left (disposition deadletter, or a retry that collides with a singleton).',
    'retry_count counts tries from the second on: tries = retry_count + 1, at most retry_limit + 1.',
    'boss.retry() takes a failed job up again and raises its retry_limit by one; when it fails again, that is a new failure.',
    'A timeout (expire_seconds, heartbeat_seconds) is only written down while some instance of pg-boss runs with supervise. With none, jobs stay active for ever: Tocsin tells them as stuck.',
    'A worker that is killed leaves its job active; the supervisor of another instance fails it when it expires, with the message "job timed out".',
    'Jobs in the states created and retry are deleted without a trace when keep_until has passed. Tocsin tells them as stalled long before.',
    'A copy in a dead letter queue waits there without being late; its original was told when it failed.',
    'Blocked children of a flow are not late either; when their parent fails for good, they wait until keep_until.',
    'No index of pg-boss covers failed or active jobs in general. Indexes go on job_common, and on the own table of each queue with partition: true: Postgres cannot create an index on a partitioned table concurrently.',
    'Ids are unique in a queue, not in the table; pg-boss makes random ones unless the application names its own.',
  ],
};
