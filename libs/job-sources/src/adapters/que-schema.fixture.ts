/**
 * The table of Que 2.4.1 with the result of its migrations 1 to 7 (lib/que/migrations/1/up.sql … 7/up.sql at 17fb2c3,
 * October 2024): columns, constraints, indexes, the function that names a job's state, and the comment in which Que keeps
 * its schema version. Left out: que_values, que_lockers, and the two triggers that only notify.
 */
export const queSchema = `
  create function public.que_validate_tags(tags_array jsonb) returns boolean language sql as $$
    select bool_and(jsonb_typeof(value) = 'string' and char_length(value::text) <= 100)
    from jsonb_array_elements(tags_array)
  $$;

  create table public.que_jobs (
    priority smallint not null default 100,
    run_at timestamptz not null default now(),
    id bigserial,
    job_class text not null,
    error_count integer not null default 0,
    last_error_message text,
    queue text not null default 'default',
    last_error_backtrace text,
    finished_at timestamptz,
    expired_at timestamptz,
    args jsonb not null default '[]',
    data jsonb not null default '{}',
    job_schema_version integer not null,
    kwargs jsonb not null default '{}',
    constraint que_jobs_pkey primary key (id),
    constraint queue_length check (char_length(queue) <= 100),
    constraint job_class_length check (
      char_length(
        case job_class when 'ActiveJob::QueueAdapters::QueAdapter::JobWrapper' then args -> 0 ->> 'job_class' else job_class end
      ) <= 200
    ),
    constraint valid_args check (jsonb_typeof(args) = 'array'),
    constraint valid_data check (
      jsonb_typeof(data) = 'object'
      and (
        not data ? 'tags'
        or (
          jsonb_typeof(data -> 'tags') = 'array'
          and jsonb_array_length(data -> 'tags') <= 5
          and public.que_validate_tags(data -> 'tags')
        )
      )
    ),
    constraint error_length check (char_length(last_error_message) <= 500 and char_length(last_error_backtrace) <= 10000)
  ) with (fillfactor = 90);

  create index que_poll_idx on public.que_jobs (job_schema_version, queue, priority, run_at, id)
    where finished_at is null and expired_at is null;
  create index que_jobs_data_gin_idx on public.que_jobs using gin (data jsonb_path_ops);
  create index que_jobs_args_gin_idx on public.que_jobs using gin (args jsonb_path_ops);
  create index que_jobs_kwargs_gin_idx on public.que_jobs using gin (kwargs jsonb_path_ops);

  create function public.que_determine_job_state(job public.que_jobs) returns text language sql as $$
    select case
      when job.expired_at is not null then 'expired'
      when job.finished_at is not null then 'finished'
      when job.error_count > 0 then 'errored'
      when job.run_at > current_timestamp then 'scheduled'
      else 'ready'
    end
  $$;

  comment on table public.que_jobs is '7';
`;
