/**
 * The tables of GoodJob 4.19.2 that are read, as `rails generate good_job:install` makes them
 * (lib/generators/good_job/templates/install/migrations/create_good_jobs.rb.erb at 81db22b, July 2026): `datetime` is
 * `timestamp(6) without time zone` since Rails 7, in UTC. Left out: batches, executions, settings.
 */
export const goodJobSchema = `
  create table public.good_jobs (
    id uuid not null default gen_random_uuid(),
    queue_name text,
    priority integer,
    serialized_params jsonb,
    scheduled_at timestamp(6),
    performed_at timestamp(6),
    finished_at timestamp(6),
    error text,
    created_at timestamp(6) not null,
    updated_at timestamp(6) not null,
    active_job_id uuid,
    concurrency_key text,
    cron_key text,
    retried_good_job_id uuid,
    cron_at timestamp(6),
    batch_id uuid,
    batch_callback_id uuid,
    is_discrete boolean,
    executions_count integer,
    job_class text,
    error_event smallint,
    labels text[],
    locked_by_id uuid,
    locked_at timestamp(6),
    lock_type smallint,
    constraint good_jobs_pkey primary key (id)
  );

  create table public.good_job_processes (
    id uuid not null default gen_random_uuid(),
    created_at timestamp(6) not null,
    updated_at timestamp(6) not null,
    state jsonb,
    lock_type smallint,
    constraint good_job_processes_pkey primary key (id)
  );

  create index index_good_jobs_on_scheduled_at on public.good_jobs (scheduled_at) where finished_at is null;
  create index index_good_jobs_on_queue_name_and_scheduled_at on public.good_jobs (queue_name, scheduled_at) where finished_at is null;
  create index index_good_jobs_on_active_job_id_and_created_at on public.good_jobs (active_job_id, created_at);
  create index index_good_jobs_on_concurrency_key_when_unfinished on public.good_jobs (concurrency_key) where finished_at is null;
  create index index_good_jobs_on_concurrency_key_and_created_at on public.good_jobs (concurrency_key, created_at);
  create index index_good_jobs_on_cron_key_and_created_at_cond on public.good_jobs (cron_key, created_at) where cron_key is not null;
  create unique index index_good_jobs_on_cron_key_and_cron_at_cond on public.good_jobs (cron_key, cron_at) where cron_key is not null;
  create index index_good_jobs_jobs_on_finished_at_only on public.good_jobs (finished_at) where finished_at is not null;
  create index index_good_jobs_jobs_on_priority_created_at_when_unfinished on public.good_jobs (priority desc nulls last, created_at) where finished_at is null;
  create index index_good_job_jobs_for_candidate_lookup on public.good_jobs (priority asc nulls last, created_at) where finished_at is null;
  create index index_good_jobs_on_batch_id on public.good_jobs (batch_id) where batch_id is not null;
  create index index_good_jobs_on_batch_callback_id on public.good_jobs (batch_callback_id) where batch_callback_id is not null;
  create index index_good_jobs_on_job_class on public.good_jobs (job_class);
  create index index_good_jobs_on_labels on public.good_jobs using gin (labels) where labels is not null;
  create index index_good_jobs_on_priority_scheduled_at_unfinished_unlocked on public.good_jobs (priority asc nulls last, scheduled_at) where finished_at is null and locked_by_id is null;
  create index index_good_jobs_on_priority_scheduled_at_unfinished on public.good_jobs (priority, scheduled_at, id) where finished_at is null;
  create index index_good_jobs_on_queue_name_priority_scheduled_at_unfinished on public.good_jobs (queue_name, scheduled_at, id) where finished_at is null;
  create index index_good_jobs_on_locked_by_id on public.good_jobs (locked_by_id) where locked_by_id is not null;
  create index index_good_jobs_for_candidate_dequeue_unlocked on public.good_jobs (priority asc nulls last, scheduled_at, id) where finished_at is null and locked_by_id is null;
  create index index_good_jobs_on_queue_name on public.good_jobs (queue_name);
  create index index_good_jobs_on_created_at on public.good_jobs (created_at);
  create index index_good_jobs_on_discarded on public.good_jobs (finished_at desc) where finished_at is not null and error is not null;
  create index index_good_jobs_on_scheduled_at_and_queue_name on public.good_jobs (scheduled_at, queue_name);
  create index index_good_jobs_on_unfinished_or_errored on public.good_jobs (id) where finished_at is null or error is not null;
`;
