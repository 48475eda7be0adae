-- Phase: expand. Lock: writers of public.research_jobs wait while its indexes are built (a migration is one transaction, so
-- not concurrently); given up after 2 s of waiting for the lock. Duration: some seconds at a million rows. Old code keeps working.
-- What looks after running, waiting and partly failed jobs reads these. Only on the table that migration 0004 created, as
-- its owner, and not above a million rows: elsewhere `tocsin doctor` says which statements to run.

do $$
declare
  job_table constant regclass := to_regclass('public.research_jobs');
  lock_timeout_before constant text := current_setting('lock_timeout');
  lacking integer;
begin
  if job_table is null or to_regclass('public.research_jobs_failures') is null then
    return;
  end if;

  select count(*) into lacking
  from (values
    ('id', 'uuid'), ('source', 'text'), ('job_type', 'text'), ('status', 'text'), ('attempts', 'integer'),
    ('max_attempts', 'integer'), ('result', 'jsonb'), ('run_after', 'timestamp with time zone'),
    ('finished_at', 'timestamp with time zone'), ('updated_at', 'timestamp with time zone')
  ) as standard (name, type)
  where not exists (
    select from pg_attribute
    where attrelid = job_table and attname = standard.name and format_type(atttypid, atttypmod) = standard.type
  );
  if lacking > 0 then
    return;
  end if;

  if exists (
    select from pg_class
    where oid = job_table
      and (
        relkind <> 'r'
        or relowner <> (select oid from pg_roles where rolname = current_user)
        -- Never analysed: assume short rows, so that a table of unknown size is rather left alone.
        or case when reltuples >= 0 then reltuples else pg_relation_size(oid) / 100 end > 1000000
      )
  ) then
    return;
  end if;

  perform set_config('lock_timeout', '2s', true);
  begin
    lock table public.research_jobs in share mode;
    -- Not by a time of theirs: an index that holds heartbeats would make each heartbeat dearer.
    create index if not exists research_jobs_running on public.research_jobs (status) where status in ('running');
    create index if not exists research_jobs_retries on public.research_jobs (run_after)
      where status in ('failed')
        and (attempts >= max_attempts or attempts is null or attempts < 0 or max_attempts is null or max_attempts < 0) is not true;
    create index if not exists research_jobs_ends on public.research_jobs (source, job_type, finished_at)
      where status in ('succeeded', 'failed', 'dead');
    create index if not exists research_jobs_partials on public.research_jobs (updated_at, id)
      where status in ('succeeded')
        and (case when (result #>> '{failed}'::text[]) ~ '^-?[0-9]{1,15}$' then (result #>> '{failed}'::text[])::bigint end) > 0;
  exception
    when lock_not_available then
      raise notice 'public.research_jobs is busy, its new indexes are left to `tocsin doctor`';
  end;
  perform set_config('lock_timeout', lock_timeout_before, true);
end
$$;
