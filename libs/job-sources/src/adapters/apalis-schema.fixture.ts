/** Releases of the tables that differ in what Tocsin reads. */
export type ApalisRelease = '0.7' | '1.0.0-rc.7' | '2026-09';

/**
 * The tables of Apalis: apalis-dev/apalis-postgres, migrations/.
 * - 0.7: 20220530084123_jobs_workers.sql to 20250307001101_add_job_priority.sql (then part of apalis-sql)
 * - 1.0.0-rc.7: to 20251225090252_include_primary_keys.sql
 * - 2026-09: to 20260902075949_remove_pl_in_get_jobs.sql. Its metadata is hstore there; the extension is no part of every
 *   server, and the column is not read, so that it is left out here.
 */
export const apalisSchema = (release: ApalisRelease): string => `
  create schema apalis;
  create table apalis.workers (
    id text not null,
    worker_type text not null,
    storage_name text not null,
    layers text not null default '',
    last_seen timestamptz not null default now()
  );
  create index idx on apalis.workers (id);
  create unique index unique_worker_id on apalis.workers (id);
  create index wtidx on apalis.workers (worker_type);
  create index lsidx on apalis.workers (last_seen);
  create table apalis.jobs (
    job jsonb not null,
    id text not null,
    job_type text not null,
    status text not null default 'Pending',
    attempts integer not null default 0,
    max_attempts integer not null default 25,
    run_at timestamptz not null default now(),
    last_error text,
    lock_at timestamptz,
    lock_by text,
    done_at timestamptz,
    priority integer default 0,
    constraint fk_worker_lock_by foreign key (lock_by) references apalis.workers (id)
  );
  create index tidx on apalis.jobs (id);
  create index sidx on apalis.jobs (status);
  create unique index unique_job_id on apalis.jobs (id);
  create index lidx on apalis.jobs (lock_by);
  create index jtidx on apalis.jobs (job_type);
  ${release === '0.7' ? '' : since202510}
  ${release === '2026-09' ? since202608 : ''}`;

/** 20251018164839_update_result.sql to 20251225090252_include_primary_keys.sql */
const since202510 = `
  alter table apalis.jobs rename column last_error to last_result;
  alter table apalis.jobs alter column last_result type jsonb using last_result::jsonb;
  alter table apalis.jobs add column metadata jsonb;
  alter table apalis.jobs alter column job type bytea using convert_to(job::text, 'UTF8');
  alter table apalis.workers add column started_at timestamptz;
  alter table apalis.jobs add primary key (id);
  alter table apalis.workers add primary key (id);`;

/** 20260824233636_streamline_indices.sql and 20260826101335_metadata_hstore.sql */
const since202608 = `
  drop index apalis.tidx;
  drop index apalis.sidx;
  drop index apalis.jtidx;
  drop index apalis.idx;
  create index idx_apalis_jobs_fetch_partial on apalis.jobs (job_type, priority desc, run_at)
    where status = 'Pending' or (status = 'Failed' and attempts < max_attempts);
  create index idx_apalis_jobs_lock_by on apalis.jobs (lock_by);
  create index idx_apalis_workers_last_seen on apalis.workers (last_seen);
  create index idx_apalis_workers_worker_type on apalis.workers (worker_type);
  alter table apalis.jobs drop column metadata;`;

/**
 * What Apalis does to a row, as queries/ and src/ack.rs of apalis-postgres 1.0.0-rc.7 do it; $1 is the job's id. The
 * column of the result is last_error in 0.7.
 */
export const apalisDoes = (release: ApalisRelease) => {
  const result = release === '0.7' ? 'last_error' : 'last_result';
  return {
    /** queries/worker/register.sql; $1 is the worker's id */
    register: `
      insert into apalis.workers (id, worker_type, storage_name)
      values ($1, 'mailer', 'PostgresStorage')
      on conflict (id) do update set last_seen = now()`,
    /** get_jobs(); $2 is the worker's id */
    fetch: `
      update apalis.jobs
      set status = '${release === '0.7' ? 'Running' : 'Queued'}', lock_by = $2, lock_at = clock_timestamp()
      where id = $1 and (status = 'Pending' or (status = 'Failed' and attempts < max_attempts)) and run_at <= now()`,
    /** queries/task/lock_by_id.sql */
    start: `
      update apalis.jobs
      set status = 'Running', lock_at = clock_timestamp(), lock_by = $2
      where id = $1 and (status in ('Pending', 'Queued') or (status = 'Failed' and attempts < max_attempts))`,
    /** queries/task/ack.sql; $2 is the worker, $3 the attempt, $4 the status, $5 the result as json */
    ack: `
      update apalis.jobs
      set status = $4, attempts = $3, ${result} = $5, done_at = clock_timestamp()
      where id = $1 and lock_by = $2`,
    /** queries/backend/reenqueue_orphaned.sql */
    reenqueueOrphaned: `
      update apalis.jobs
      set status = 'Pending', done_at = null, lock_by = null, lock_at = null, attempts = attempts + 1,
        ${result} = '{"Err": "Re-enqueued due to worker heartbeat timeout."}'
      where id = $1 and status in ('Running', 'Queued')`,
    /** queries/backend/vacuum.sql */
    vacuum: `
      delete from apalis.jobs
      where status in ('Done', 'Killed') or (status = 'Failed' and max_attempts <= attempts)`,
  } as const;
};
