/**
 * `oban_jobs` as the migrations of Oban 2.23 leave it: oban-bg/oban v2.23.0, lib/oban/migrations/postgres/v01.ex to v14.ex.
 * Version 13 added the indexes on (state, cancelled_at) and (state, discarded_at), version 14 the state suspended.
 */
export const obanSchema = (version: 12 | 13 | 14 = 14): string => `
  create type oban_job_state as enum (
    'available', ${version >= 14 ? "'suspended', " : ''}'scheduled', 'executing', 'retryable', 'completed', 'discarded', 'cancelled'
  );
  create table oban_jobs (
    id bigserial primary key,
    state oban_job_state not null default 'available',
    queue text not null default 'default',
    worker text not null,
    args jsonb not null default '{}',
    errors jsonb[] not null default array[]::jsonb[],
    attempt integer not null default 0,
    max_attempts integer not null default 20,
    inserted_at timestamp without time zone not null default timezone('UTC', now()),
    scheduled_at timestamp without time zone not null default timezone('UTC', now()),
    attempted_at timestamp without time zone,
    completed_at timestamp without time zone,
    attempted_by text[],
    discarded_at timestamp without time zone,
    priority integer not null default 0,
    tags text[] default array[]::text[],
    meta jsonb default '{}',
    cancelled_at timestamp without time zone,
    constraint worker_length check (char_length(worker) > 0 and char_length(worker) < 128),
    constraint queue_length check (char_length(queue) > 0 and char_length(queue) < 128),
    constraint positive_max_attempts check (max_attempts > 0),
    constraint attempt_range check (attempt between 0 and max_attempts),
    constraint non_negative_priority check (priority >= 0)
  );
  create index oban_jobs_state_queue_priority_scheduled_at_id_index
    on oban_jobs (state, queue, priority, scheduled_at, id);
  create index oban_jobs_args_index on oban_jobs using gin (args);
  create index oban_jobs_meta_index on oban_jobs using gin (meta);
  create unlogged table oban_peers (
    name text not null primary key,
    node text not null,
    started_at timestamp without time zone not null,
    expires_at timestamp without time zone not null
  );
  ${
    version >= 13
      ? `create index oban_jobs_state_cancelled_at_index on oban_jobs (state, cancelled_at);
  create index oban_jobs_state_discarded_at_index on oban_jobs (state, discarded_at);`
      : ''
  }
  comment on table oban_jobs is '${version}';`;

const utcNow = `timezone('UTC', clock_timestamp())`;

/**
 * What Oban does to a row, as lib/oban/engines/basic.ex (v2.23.0) does it; $1 is the job's id. Each statement writes the
 * columns that the engine writes and looks at the state only where the engine does.
 */
export const obanDoes = {
  /** fetch_jobs */
  execute: `
    update oban_jobs
    set state = 'executing', attempted_at = ${utcNow}, attempted_by = array['node@host', 'uuid'], attempt = attempt + 1
    where id = $1 and state = 'available' and attempt < max_attempts`,
  /** stage_jobs, once the time has come */
  stage: `update oban_jobs set state = 'available' where id = $1 and state in ('scheduled', 'retryable')`,
  /** complete_job */
  complete: `update oban_jobs set state = 'completed', completed_at = ${utcNow} where id = $1`,
  /** error_job with attempts left; $2 is the formatted exception */
  retry: `
    update oban_jobs
    set state = 'retryable', scheduled_at = ${utcNow} + interval '15 seconds',
      errors = errors || jsonb_build_object('attempt', attempt, 'at', now(), 'error', $2::text)
    where id = $1`,
  /** discard_job, also what error_job comes to when no attempt is left */
  discard: `
    update oban_jobs
    set state = 'discarded', discarded_at = ${utcNow},
      errors = errors || jsonb_build_object('attempt', attempt, 'at', now(), 'error', $2::text)
    where id = $1`,
  /** snooze_job */
  snooze: `
    update oban_jobs
    set state = 'scheduled', scheduled_at = ${utcNow} + interval '60 seconds', attempt = attempt - 1,
      meta = jsonb_set(meta, '{snoozed}', to_jsonb(coalesce((meta ->> 'snoozed')::int, 0) + 1))
    where id = $1`,
  /** cancel_job by the worker, which returned {:cancel, reason} */
  cancelWithError: `
    update oban_jobs
    set state = 'cancelled', cancelled_at = ${utcNow},
      errors = errors || jsonb_build_object('attempt', attempt, 'at', now(), 'error', $2::text)
    where id = $1`,
  /** cancel_job from outside */
  cancel: `
    update oban_jobs
    set state = 'cancelled', cancelled_at = ${utcNow}
    where id = $1 and state not in ('cancelled', 'completed', 'discarded')`,
  /** retry_job */
  retryByHand: `
    update oban_jobs
    set state = 'available', max_attempts = greatest(max_attempts, attempt + 1), scheduled_at = ${utcNow},
      completed_at = null, cancelled_at = null, discarded_at = null
    where id = $1 and state not in ('available', 'executing')`,
  /** rescue_jobs of Lifeline, when no attempt is left; no error is recorded */
  rescueToDiscarded: `
    update oban_jobs
    set state = 'discarded', discarded_at = ${utcNow}
    where id = $1 and state = 'executing' and attempt >= max_attempts`,
  /** prune_jobs, for a job whose time is over */
  prune: `delete from oban_jobs where id = $1 and state in ('completed', 'cancelled', 'discarded')`,
} as const;
