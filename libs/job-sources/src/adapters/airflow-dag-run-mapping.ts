import type { AdapterMapping } from '../adapter-mapping.ts';

/**
 * Apache Airflow: `dag_run`, one row per run of a DAG. Tasks are not watched: a run fails when one of its leaves failed
 * for good, after the retries of its tasks.
 */
export const airflowDagRunMapping: AdapterMapping = {
  adapter: 'airflow_dag_run',
  title: 'Apache Airflow',
  defaultTable: 'public.dag_run',
  relations: [],
  fields: {
    id: { column: 'id', use: 'key', required: true },
    source: { value: 'airflow' },
    jobType: { column: 'dag_id', use: 'text', required: true },
    status: { column: 'state', use: 'state', required: true },
    // Each clearing of a run is another try at it.
    attempts: { sql: '{clear_number} + 1', use: 'count', required: false },
    // A run that was cleared keeps the time from which it could run at first, and waits since it was queued again.
    dueAt: { sql: 'greatest({run_after}, {queued_at})', use: 'instant', required: false },
    startedAt: { column: 'start_date', use: 'instant', required: false },
    heartbeatAt: { column: 'last_scheduling_decision', use: 'instant', required: false },
    finishedAt: { column: 'end_date', use: 'instant', required: true },
    createdAt: { column: 'queued_at', use: 'instant', required: false },
    // Not the end time: a run that succeeded and is then marked failed by hand keeps it.
    changedAt: { column: 'updated_at', use: 'instant', required: true },
    stage: { column: 'run_id', use: 'text', required: false },
  },
  states: {
    waiting: ['queued'],
    running: ['running'],
    failed: ['failed'],
    dead: [],
    succeeded: ['success'],
    canceled: [],
  },
  failedForGood: 'true',
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
  ],
  version: {
    // Airflow records its migration as a hash; the major version is told by a column that came with it.
    sql: `
      select case
        when exists (
          select from pg_attribute where attrelid = '{table}'::regclass and attname = 'run_after' and not attisdropped
        ) then '3'
        else '2'
      end as version`,
    from: 3,
    to: 3,
    of: 'major version of Airflow',
  },
  retention: {
    failuresMs: null,
    words: 'Airflow keeps runs until somebody runs airflow db clean or deletes the DAG.',
  },
  deletesSuccesses: false,
  reads: [],
  traps: [
    'A run that is cleared runs again in the same row: when it fails again, that is a new failure.',
    'A cleared run keeps run_after; it waits since it was queued again.',
    'A run marked as failed by hand after its success keeps its end time; it is found by updated_at.',
    'A failed run marked as success by hand keeps its end time, so that this is no success after the failure: the alert stays ' +
      'open until a later run succeeds or somebody resolves it.',
    'Every look of the scheduler at a run touches its row; that is no new failure.',
    'The sign of life is that of the scheduler: a task that hangs is found by how long its run lasts.',
    'Why a run failed stands in the logs of its tasks only.',
  ],
};
