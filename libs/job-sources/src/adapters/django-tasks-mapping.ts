import type { AdapterMapping } from '../adapter-mapping.ts';

/**
 * Django Tasks with the database backend (django-tasks-db, before 0.12 part of django-tasks): a task runs once; there are
 * no retries, no heartbeat, and nothing that finds a worker that died. Words for a status changed over time: NEW became
 * READY, COMPLETE became SUCCEEDED and then SUCCESSFUL.
 */
export const djangoTasksMapping: AdapterMapping = {
  adapter: 'django_tasks',
  title: 'Django Tasks',
  defaultTable: 'public.django_tasks_database_dbtaskresult',
  relations: [],
  fields: {
    id: { column: 'id', use: 'key', required: true },
    source: { column: 'queue_name', use: 'text', required: true },
    jobType: { column: 'task_path', use: 'text', required: true },
    status: { column: 'status', use: 'state', required: true },
    error: {
      sql: `coalesce(nullif({traceback}, ''), nullif({exception_class_path}, ''))`,
      use: 'anything',
      required: false,
    },
    // "As soon as possible" is stored as the year 9999.
    dueAt: {
      sql: `case when {run_after} < '9000-01-01' then {run_after} else {enqueued_at} end`,
      use: 'instant',
      required: false,
    },
    startedAt: { column: 'started_at', use: 'instant', required: false },
    finishedAt: { column: 'finished_at', use: 'instant', required: true },
    createdAt: { column: 'enqueued_at', use: 'instant', required: false },
    changedAt: { column: 'finished_at', use: 'instant', required: true },
  },
  states: {
    waiting: ['READY', 'NEW'],
    running: ['RUNNING'],
    failed: ['FAILED'],
    dead: [],
    succeeded: ['SUCCESSFUL', 'SUCCEEDED', 'COMPLETE'],
    canceled: [],
  },
  failedForGood: 'true',
  runKey: null,
  identityTimes: ['finishedAt', 'startedAt', 'createdAt'],
  indexes: [
    {
      purpose: 'finding new failures',
      nameSuffix: 'failures',
      fields: ['finishedAt', 'id', 'status'],
      key: '{finishedAt}, {id}',
      where: '{status} in ({failures})',
      leading: 1,
    },
    {
      purpose: 'finding the success of failed work',
      nameSuffix: 'successes',
      fields: ['source', 'jobType', 'finishedAt', 'status'],
      key: '{source}, {jobType}, {finishedAt}',
      where: '{status} in ({successes})',
      leading: 2,
    },
    {
      purpose: 'looking after waiting and running tasks',
      nameSuffix: 'open',
      fields: ['status', 'createdAt'],
      key: '{status}, {createdAt}',
      where: "{status} in ('READY', 'NEW', 'RUNNING')",
      leading: 1,
    },
  ],
  version: {
    sql: `
      select max(substring(name from '^[0-9]+')::integer)::text as version
      from {schema}.django_migrations
      where app = 'django_tasks_database'`,
    from: 12,
    to: 20,
    of: 'latest migration of django_tasks_database',
  },
  retention: {
    failuresMs: null,
    words:
      'Nothing is deleted unless prune_db_task_results is run; it then deletes what finished more than 14 days ago.',
  },
  deletesSuccesses: false,
  reads: [],
  traps: [
    'Older releases write NEW, COMPLETE and SUCCEEDED instead of READY and SUCCESSFUL.',
    'There are no retries: FAILED is final. Running a task again makes a new row.',
    'A worker that dies leaves RUNNING for ever; only a stuck limit finds it.',
    'A result put back to READY by hand keeps its old finished_at until it ends again.',
  ],
};
