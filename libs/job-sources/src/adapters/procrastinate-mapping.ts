import type { AdapterMapping } from '../adapter-mapping.ts';

/**
 * Jobs with the event that ended them. `ended` is an event that ends a job and that no other change of state follows, so
 * there is at most one. An event of the type scheduled lies in the future and is no change; abort_requested is none either.
 * Arguments and lock are there for `columns: { target_id: … }`, and are read for nothing else.
 */
const jobsWithEvents = (lastHeartbeat: string, workers: string): string => `
  select
    task.id,
    task.queue_name,
    task.task_name,
    task.status,
    task.attempts,
    task.scheduled_at,
    task.args,
    task.lock,
    (
      select max(event.at)
      from {schema}.procrastinate_events as event
      where event.job_id = task.id and event.type = 'started'
    ) as started_at,
    (
      select min(event.at)
      from {schema}.procrastinate_events as event
      where event.job_id = task.id and event.type = 'deferred'
    ) as deferred_at,
    ended.at as ended_at,
    ended.type as ended_by,
    ${lastHeartbeat} as last_heartbeat
  from {table} as task
  left join {schema}.procrastinate_events as ended
    on ended.job_id = task.id
    and ended.type in ('failed', 'succeeded', 'cancelled', 'aborted')
    and not exists (
      select
      from {schema}.procrastinate_events as later
      where later.job_id = ended.job_id
        and later.id > ended.id
        and later.type not in ('scheduled', 'abort_requested')
    )
  ${workers}`;

const jobColumns = [
  'id',
  'queue_name',
  'task_name',
  'status',
  'attempts',
  'scheduled_at',
  'args',
  'lock',
  'abort_requested',
] as const;
const eventColumns = ['id', 'job_id', 'type', 'at'] as const;

/**
 * Procrastinate (Python): `procrastinate_jobs`, without any time on the row but when it may run. When a job started and
 * ended stands in `procrastinate_events`, which triggers fill. Errors are not stored.
 */
export const procrastinateMapping: AdapterMapping = {
  adapter: 'procrastinate',
  title: 'Procrastinate',
  defaultTable: 'public.procrastinate_jobs',
  relations: [
    {
      sql: jobsWithEvents(
        'worker.last_heartbeat',
        'left join {schema}.procrastinate_workers as worker on worker.id = task.worker_id',
      ),
      needs: {
        '{table}': [...jobColumns, 'worker_id'],
        procrastinate_events: eventColumns,
        procrastinate_workers: ['id', 'last_heartbeat'],
      },
      versions: 'since 3.1',
    },
    {
      sql: jobsWithEvents('null::timestamptz', ''),
      needs: { '{table}': jobColumns, procrastinate_events: eventColumns },
      versions: '3.0',
    },
  ],
  fields: {
    id: { column: 'id', use: 'key', required: true },
    source: { column: 'queue_name', use: 'text', required: true },
    jobType: { column: 'task_name', use: 'text', required: true },
    status: { column: 'status', use: 'state', required: true },
    attempts: { column: 'attempts', use: 'count', required: true },
    dueAt: { column: 'scheduled_at', use: 'instant', required: false },
    startedAt: { column: 'started_at', use: 'instant', required: false },
    heartbeatAt: { column: 'last_heartbeat', use: 'instant', required: false },
    finishedAt: { column: 'ended_at', use: 'instant', required: true },
    createdAt: { column: 'deferred_at', use: 'instant', required: false },
    changedAt: { column: 'ended_at', use: 'instant', required: true },
  },
  states: {
    waiting: ['todo'],
    running: ['doing'],
    // A job that was set back while its worker still had it ends from todo, which its triggers record as cancelled. The
    // types are written as the predicates of the indexes are.
    failed: { sql: `{status} = 'failed' and {ended_by} in ('failed', 'cancelled')` },
    dead: [],
    succeeded: { sql: `{status} = 'succeeded' and {ended_by} in ('succeeded', 'cancelled')` },
    // aborting was between doing and aborted before 3.0; listed above it would keep the index of running jobs from serving.
    canceled: ['cancelled', 'aborting', 'aborted'],
  },
  failedForGood: 'true',
  runKey: null,
  identityTimes: ['finishedAt', 'startedAt', 'createdAt'],
  indexes: [
    {
      purpose: 'finding new failures',
      nameSuffix: 'failures',
      table: 'procrastinate_events',
      fields: [],
      key: 'at, job_id',
      where: `type in ('failed', 'cancelled')`,
      leading: 1,
    },
    {
      purpose: 'finding the success of failed work',
      nameSuffix: 'successes',
      table: 'procrastinate_events',
      fields: [],
      key: 'at, job_id',
      where: `type in ('succeeded', 'cancelled')`,
      leading: 1,
    },
  ],
  version: {
    // Procrastinate records no version; its schema is told by what it has.
    sql: `
      select case
        when exists (
          select from pg_enum where enumtypid = to_regtype('{schema}.procrastinate_job_event_type') and enumlabel = 'retried'
        ) then '304'
        when exists (
          select from pg_attribute where attrelid = '{table}'::regclass and attname = 'worker_id' and not attisdropped
        ) then '301'
        else '300'
      end as version`,
    from: 300,
    to: 304,
    of: 'schema of Procrastinate (304 is that of 3.4)',
  },
  retention: {
    failuresMs: null,
    words:
      'Procrastinate keeps jobs, unless a worker runs with delete_jobs (then a job is deleted as it ends, failed ones only with ' +
      'delete_jobs=always) or builtin:procrastinate.builtin_tasks.remove_old_jobs is deferred.',
  },
  deletesSuccesses: false,
  reads: ['procrastinate_events'],
  traps: [
    'The row has no time of its end; the events have it, and a job may have several events of the same type.',
    'Errors are not stored: what went wrong stands in the log of the worker only.',
    'A retry makes a failed try todo again; failed is for good, until somebody retries the job by hand.',
    'aborted is a choice, but a job that was asked to stop and would be retried becomes failed.',
    'A job set back to todo whose first worker then ends it gets an event cancelled, whatever its status became.',
    'The sign of life is that of the worker; when a stalled worker is pruned, its jobs stay doing without any.',
    'With delete_jobs, rows and events of ended jobs are gone at once: failures cannot be told.',
  ],
};
