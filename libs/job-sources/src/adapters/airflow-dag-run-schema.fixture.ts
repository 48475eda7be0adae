/**
 * `dag_run` of Apache Airflow 3: apache/airflow@003b171, airflow-core/src/airflow/models/dagrun.py. The tables that its
 * foreign keys lead to are left out; created_at came with 3.2.
 */
export const airflowDagRunSchema = `
  create table dag_run (
    id serial primary key,
    dag_id varchar(250) not null,
    queued_at timestamptz,
    logical_date timestamptz,
    start_date timestamptz,
    end_date timestamptz,
    state varchar(50),
    run_id varchar(250) not null,
    creating_job_id integer,
    run_type varchar(50) not null,
    triggered_by varchar(50),
    triggering_user_name varchar(512),
    conf jsonb,
    data_interval_start timestamptz,
    data_interval_end timestamptz,
    run_after timestamptz not null,
    last_scheduling_decision timestamptz,
    log_template_id integer,
    created_at timestamptz,
    updated_at timestamptz,
    clear_number integer not null default 0,
    backfill_id integer,
    bundle_version varchar(250),
    scheduled_by_job_id integer,
    context_carrier jsonb,
    span_status varchar(250) not null default 'not_started',
    created_dag_version_id uuid,
    partition_key varchar(250),
    partition_date timestamptz,
    constraint dag_run_dag_id_run_id_key unique (dag_id, run_id),
    constraint dag_run_dag_id_logical_date_key unique (dag_id, logical_date)
  );
  create index dag_id_state on dag_run (dag_id, state);
  create index idx_dag_run_dag_id on dag_run (dag_id);
  create index idx_dag_run_run_after on dag_run (run_after);
  create index idx_dag_run_running_dags on dag_run (state, dag_id) where state = 'running';
  create index idx_dag_run_queued_dags on dag_run (state, dag_id) where state = 'queued';`;

/** Airflow writes times of its own clock, and the time of the change with every change (`onupdate`). */
const set = (changes: string): string => `
    update dag_run
    set ${changes}, updated_at = clock_timestamp()
    where id = $1`;

/** What Airflow does to a row, by the table of transitions in `DagRun.set_state`; $1 is the run's id. */
export const airflowDoes = {
  /** queued → running */
  run: set(`state = 'running', start_date = coalesce(start_date, clock_timestamp()), end_date = null`),
  /** The scheduler looks at the run. */
  examine: set(`last_scheduling_decision = clock_timestamp()`),
  /** running → failed, running → success */
  fail: set(`state = 'failed', end_date = clock_timestamp()`),
  succeed: set(`state = 'success', end_date = clock_timestamp()`),
  /** Cleared: failed → queued */
  clear: set(`state = 'queued', queued_at = clock_timestamp(), start_date = null, end_date = null,
      clear_number = clear_number + 1`),
  /** By hand, from one end to the other: the end time stays. */
  markSuccess: set(`state = 'success'`),
  markFailed: set(`state = 'failed'`),
} as const;
