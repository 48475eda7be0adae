-- Phase: expand. Lock: none unless the table is created here. Duration: milliseconds. Old code keeps working.
-- A job table to start with. An existing public.research_jobs is never touched.

do $$
begin
  if to_regclass('public.research_jobs') is not null then
    return;
  end if;

  create table public.research_jobs (
    id uuid primary key default gen_random_uuid(),
    source text not null,
    job_type text not null,
    target_id text,
    status text not null default 'pending'
      check (status in ('pending', 'running', 'succeeded', 'failed', 'dead', 'canceled')),
    attempts integer not null default 0,
    max_attempts integer not null default 3,
    payload jsonb not null default '{}',
    result jsonb,
    error text,
    run_after timestamptz not null default now(),
    started_at timestamptz,
    heartbeat_at timestamptz,
    finished_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
  );

  -- The detector's scan of what changed, newest failures only.
  create index research_jobs_failures on public.research_jobs (updated_at, id) where status in ('failed', 'dead');
  -- "Has this work succeeded since?" for open alerts.
  create index research_jobs_successes on public.research_jobs (source, job_type, target_id, finished_at) where status = 'succeeded';
  -- The siblings of one chain run.
  create index research_jobs_chain_runs on public.research_jobs (source, (payload ->> 'chain_started_at')) where payload ->> 'chain_started_at' is not null;
  -- Workers pick up what is due.
  create index research_jobs_due on public.research_jobs (run_after) where status = 'pending';
end
$$;
