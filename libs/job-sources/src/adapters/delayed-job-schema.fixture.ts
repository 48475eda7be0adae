/**
 * The table of delayed_job_active_record 4.1.11 with delayed_job 4.2.0, as its generator makes it
 * (lib/generators/delayed_job/templates/migration.rb at e5b4fbf, November 2024). `datetime` is `timestamp(6) without time
 * zone` since Rails 7, in UTC; `string` is `character varying`.
 */
export const delayedJobSchema = `
  create table public.delayed_jobs (
    id bigserial,
    priority integer not null default 0,
    attempts integer not null default 0,
    handler text not null,
    last_error text,
    run_at timestamp(6),
    locked_at timestamp(6),
    failed_at timestamp(6),
    locked_by character varying,
    queue character varying,
    created_at timestamp(6),
    updated_at timestamp(6),
    constraint delayed_jobs_pkey primary key (id)
  );
  create index delayed_jobs_priority on public.delayed_jobs (priority, run_at);
`;
