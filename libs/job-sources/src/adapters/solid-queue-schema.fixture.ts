/**
 * The tables of Solid Queue that are read, and those its state changes write to, as version 1.5.0 makes them
 * (lib/generators/solid_queue/install/templates/db/queue_schema.rb at 29e818d, July 2026; the same since 1.0.0, September
 * 2024). `datetime` is `timestamp(6) without time zone` since Rails 7, in UTC; `string` is `character varying`. Left out:
 * pauses, recurring tasks and semaphores.
 */
export const solidQueueSchema = `
  create table public.solid_queue_jobs (
    id bigserial,
    queue_name character varying not null,
    class_name character varying not null,
    arguments text,
    priority integer not null default 0,
    active_job_id character varying,
    scheduled_at timestamp(6),
    finished_at timestamp(6),
    concurrency_key character varying,
    created_at timestamp(6) not null,
    updated_at timestamp(6) not null,
    constraint solid_queue_jobs_pkey primary key (id)
  );
  create index index_solid_queue_jobs_on_active_job_id on public.solid_queue_jobs (active_job_id);
  create index index_solid_queue_jobs_on_class_name on public.solid_queue_jobs (class_name);
  create index index_solid_queue_jobs_on_finished_at on public.solid_queue_jobs (finished_at);
  create index index_solid_queue_jobs_for_filtering on public.solid_queue_jobs (queue_name, finished_at);
  create index index_solid_queue_jobs_for_alerting on public.solid_queue_jobs (scheduled_at, finished_at);

  create table public.solid_queue_ready_executions (
    id bigserial,
    job_id bigint not null,
    queue_name character varying not null,
    priority integer not null default 0,
    created_at timestamp(6) not null,
    constraint solid_queue_ready_executions_pkey primary key (id),
    foreign key (job_id) references public.solid_queue_jobs (id) on delete cascade
  );
  create unique index index_solid_queue_ready_executions_on_job_id on public.solid_queue_ready_executions (job_id);
  create index index_solid_queue_poll_all on public.solid_queue_ready_executions (priority, job_id);
  create index index_solid_queue_poll_by_queue on public.solid_queue_ready_executions (queue_name, priority, job_id);

  create table public.solid_queue_scheduled_executions (
    id bigserial,
    job_id bigint not null,
    queue_name character varying not null,
    priority integer not null default 0,
    scheduled_at timestamp(6) not null,
    created_at timestamp(6) not null,
    constraint solid_queue_scheduled_executions_pkey primary key (id),
    foreign key (job_id) references public.solid_queue_jobs (id) on delete cascade
  );
  create unique index index_solid_queue_scheduled_executions_on_job_id on public.solid_queue_scheduled_executions (job_id);
  create index index_solid_queue_dispatch_all on public.solid_queue_scheduled_executions (scheduled_at, priority, job_id);

  create table public.solid_queue_blocked_executions (
    id bigserial,
    job_id bigint not null,
    queue_name character varying not null,
    priority integer not null default 0,
    concurrency_key character varying not null,
    expires_at timestamp(6) not null,
    created_at timestamp(6) not null,
    constraint solid_queue_blocked_executions_pkey primary key (id),
    foreign key (job_id) references public.solid_queue_jobs (id) on delete cascade
  );
  create unique index index_solid_queue_blocked_executions_on_job_id on public.solid_queue_blocked_executions (job_id);
  create index index_solid_queue_blocked_executions_for_release on public.solid_queue_blocked_executions (concurrency_key, priority, job_id);
  create index index_solid_queue_blocked_executions_for_maintenance on public.solid_queue_blocked_executions (expires_at, concurrency_key);

  create table public.solid_queue_claimed_executions (
    id bigserial,
    job_id bigint not null,
    process_id bigint,
    created_at timestamp(6) not null,
    constraint solid_queue_claimed_executions_pkey primary key (id),
    foreign key (job_id) references public.solid_queue_jobs (id) on delete cascade
  );
  create unique index index_solid_queue_claimed_executions_on_job_id on public.solid_queue_claimed_executions (job_id);
  create index index_solid_queue_claimed_executions_on_process_id_and_job_id on public.solid_queue_claimed_executions (process_id, job_id);

  create table public.solid_queue_failed_executions (
    id bigserial,
    job_id bigint not null,
    error text,
    created_at timestamp(6) not null,
    constraint solid_queue_failed_executions_pkey primary key (id),
    foreign key (job_id) references public.solid_queue_jobs (id) on delete cascade
  );
  create unique index index_solid_queue_failed_executions_on_job_id on public.solid_queue_failed_executions (job_id);

  create table public.solid_queue_processes (
    id bigserial,
    kind character varying not null,
    last_heartbeat_at timestamp(6) not null,
    supervisor_id bigint,
    pid integer not null,
    hostname character varying,
    metadata text,
    created_at timestamp(6) not null,
    name character varying not null,
    constraint solid_queue_processes_pkey primary key (id)
  );
  create index index_solid_queue_processes_on_last_heartbeat_at on public.solid_queue_processes (last_heartbeat_at);
  create unique index index_solid_queue_processes_on_name_and_supervisor_id on public.solid_queue_processes (name, supervisor_id);
  create index index_solid_queue_processes_on_supervisor_id on public.solid_queue_processes (supervisor_id);
`;
