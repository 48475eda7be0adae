/**
 * The tables of Procrastinate: procrastinate-org/procrastinate 3.9.0, procrastinate/sql/schema.sql. Triggers fill the
 * events. Release 3.0 has no workers yet (they came with 03.01.00_01_pre_add_heartbeat.sql) and no event retried
 * (03.04.00_01_pre_add_retry_failed_job_procedure.sql).
 */
export const procrastinateSchema = (release: '3.0' | '3.9' = '3.9'): string => `
  create type procrastinate_job_status as enum (
    'todo', 'doing', 'succeeded', 'failed', 'cancelled', 'aborting', 'aborted'
  );
  create type procrastinate_job_event_type as enum (
    'deferred', 'started', 'deferred_for_retry', 'failed', 'succeeded', 'cancelled', 'abort_requested', 'aborted',
    'scheduled'${release === '3.0' ? '' : ", 'retried'"}
  );
  ${release === '3.0' ? '' : workers}
  create table procrastinate_jobs (
    id bigserial primary key,
    queue_name character varying(128) not null,
    task_name character varying(128) not null,
    priority integer default 0 not null,
    lock text,
    queueing_lock text,
    args jsonb default '{}' not null,
    status procrastinate_job_status default 'todo' not null,
    scheduled_at timestamp with time zone null,
    attempts integer default 0 not null,
    abort_requested boolean default false not null,
    ${release === '3.0' ? '' : 'worker_id bigint references procrastinate_workers (id) on delete set null,'}
    constraint check_not_todo_abort_requested check (not (status = 'todo' and abort_requested = true))
  );
  create table procrastinate_periodic_defers (
    id bigserial primary key,
    task_name character varying(128) not null,
    defer_timestamp bigint,
    job_id bigint references procrastinate_jobs (id) null,
    periodic_id character varying(128) not null default '',
    constraint procrastinate_periodic_defers_unique unique (task_name, periodic_id, defer_timestamp)
  );
  create table procrastinate_events (
    id bigserial primary key,
    job_id bigint not null references procrastinate_jobs on delete cascade,
    type procrastinate_job_event_type,
    at timestamp with time zone default now() null
  );
  create unique index procrastinate_jobs_queueing_lock_idx_v1 on procrastinate_jobs (queueing_lock) where status = 'todo';
  create unique index procrastinate_jobs_lock_idx_v1 on procrastinate_jobs (lock) where status = 'doing';
  create index procrastinate_jobs_queue_name_idx_v1 on procrastinate_jobs (queue_name);
  create index procrastinate_jobs_id_lock_idx_v1 on procrastinate_jobs (id, lock) where status in ('todo', 'doing');
  create index procrastinate_jobs_priority_idx_v1 on procrastinate_jobs (priority desc, id) where status = 'todo';
  create index procrastinate_events_job_id_fkey_v1 on procrastinate_events (job_id);
  create index procrastinate_periodic_defers_job_id_fkey_v1 on procrastinate_periodic_defers (job_id);
  ${release === '3.0' ? '' : workerIndexes}

  create function record_deferred() returns trigger language plpgsql as $$
  begin
    insert into procrastinate_events (job_id, type) values (new.id, 'deferred');
    return new;
  end $$;
  create function record_change() returns trigger language plpgsql as $$
  declare
    recorded text := case old.status || ' ' || new.status
      when 'todo doing' then 'started'
      when 'doing todo' then 'deferred_for_retry'
      when 'doing failed' then 'failed'
      when 'doing succeeded' then 'succeeded'
      when 'doing aborted' then 'aborted'
      when 'todo cancelled' then 'cancelled'
      when 'todo failed' then 'cancelled'
      when 'todo succeeded' then 'cancelled'
      ${release === '3.0' ? '' : "when 'failed todo' then 'retried'"}
    end;
  begin
    if recorded is not null then
      insert into procrastinate_events (job_id, type) values (new.id, recorded::procrastinate_job_event_type);
    end if;
    return new;
  end $$;
  create function record_scheduled() returns trigger language plpgsql as $$
  begin
    insert into procrastinate_events (job_id, type, at) values (new.id, 'scheduled', new.scheduled_at);
    return new;
  end $$;
  create function record_abort_request() returns trigger language plpgsql as $$
  begin
    insert into procrastinate_events (job_id, type) values (new.id, 'abort_requested');
    return new;
  end $$;
  create trigger procrastinate_trigger_status_events_insert_v1 after insert on procrastinate_jobs
    for each row when (new.status = 'todo') execute function record_deferred();
  create trigger procrastinate_trigger_status_events_update_v1 after update of status on procrastinate_jobs
    for each row execute function record_change();
  create trigger procrastinate_trigger_scheduled_events_v1 after update or insert on procrastinate_jobs
    for each row when (new.scheduled_at is not null and new.status = 'todo') execute function record_scheduled();
  create trigger procrastinate_trigger_abort_requested_events_v1 after update of abort_requested on procrastinate_jobs
    for each row when (new.abort_requested = true) execute function record_abort_request();`;

const workers = `
  create table procrastinate_workers (
    id bigint primary key generated always as identity,
    last_heartbeat timestamp with time zone not null default now()
  );`;

const workerIndexes = `
  create index idx_procrastinate_jobs_worker_not_null on procrastinate_jobs (worker_id)
    where worker_id is not null and status = 'doing';
  create index idx_procrastinate_workers_last_heartbeat on procrastinate_workers (last_heartbeat);`;

/** What Procrastinate's functions of the same schema.sql do to a row; $1 is the job's id. */
export const procrastinateDoes = {
  /** procrastinate_fetch_job_v2; $2 is the worker's id */
  fetch: `update procrastinate_jobs set status = 'doing', worker_id = $2 where id = $1 and status = 'todo'`,
  /** procrastinate_finish_job_v1; $2 is succeeded, failed or aborted */
  finish: `
    update procrastinate_jobs
    set status = $2, abort_requested = false, attempts = case status when 'doing' then attempts + 1 else attempts end
    where id = $1 and status in ('todo', 'doing')`,
  /** procrastinate_retry_job_v2, for a job that nobody asked to stop: a try failed, it stalled, or somebody wants it again */
  retry: `
    update procrastinate_jobs
    set status = 'todo', attempts = attempts + 1, scheduled_at = now()
    where id = $1 and status in ('doing', 'failed') and not abort_requested`,
  /** procrastinate_retry_job_v2, for a job that somebody asked to stop */
  retryWhenAborting: `
    update procrastinate_jobs set status = 'failed' where id = $1 and status = 'doing' and abort_requested`,
  /** procrastinate_cancel_job_v1, with abort */
  cancel: `
    update procrastinate_jobs
    set abort_requested = true, status = case status when 'todo' then 'cancelled' else status end
    where id = $1 and status in ('todo', 'doing')`,
  /** procrastinate_finish_job_v1 with delete_job */
  finishAndDelete: `delete from procrastinate_jobs where id = $1 and status in ('todo', 'doing')`,
  /** procrastinate_prune_stalled_workers_v1; $1 is the worker's id */
  pruneWorker: `delete from procrastinate_workers where id = $1`,
} as const;
