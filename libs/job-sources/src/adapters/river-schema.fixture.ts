/**
 * River's tables as its migrations leave them: riverqueue/river v0.43.0,
 * riverdriver/riverpgxv5/migration/main/001 to 007 (line main).
 */
export const riverSchema = `
  create table river_migration (
    line text not null,
    version bigint not null,
    created_at timestamptz not null default now(),
    constraint line_length check (char_length(line) > 0 and char_length(line) < 128),
    constraint version_gte_1 check (version >= 1),
    primary key (line, version)
  );
  insert into river_migration (line, version) select 'main', n from generate_series(1, 7) as n;

  create type river_job_state as enum (
    'available', 'cancelled', 'completed', 'discarded', 'pending', 'retryable', 'running', 'scheduled'
  );
  create function river_job_state_in_bitmask(bitmask bit(8), state river_job_state) returns boolean
  language sql immutable as $$
    select coalesce(get_bit(bitmask, case state
      when 'available' then 7 when 'cancelled' then 6 when 'completed' then 5 when 'discarded' then 4
      when 'pending' then 3 when 'retryable' then 2 when 'running' then 1 when 'scheduled' then 0 end), 0) = 1
  $$;
  create table river_job (
    id bigserial primary key,
    state river_job_state not null default 'available',
    attempt smallint not null default 0,
    max_attempts smallint not null default 25,
    attempted_at timestamptz,
    created_at timestamptz not null default now(),
    finalized_at timestamptz,
    scheduled_at timestamptz not null default now(),
    priority smallint not null default 1,
    args jsonb not null,
    attempted_by text[],
    errors jsonb[],
    kind text not null,
    metadata jsonb not null default '{}',
    queue text not null default 'default',
    tags varchar(255)[] not null default '{}',
    unique_key bytea,
    unique_states bit(8),
    constraint finalized_or_finalized_at_null check (
      (finalized_at is null and state not in ('cancelled', 'completed', 'discarded'))
      or (finalized_at is not null and state in ('cancelled', 'completed', 'discarded'))
    ),
    constraint max_attempts_is_positive check (max_attempts > 0),
    constraint priority_in_range check (priority >= 1 and priority <= 4),
    constraint queue_length check (char_length(queue) > 0 and char_length(queue) < 128),
    constraint kind_length check (char_length(kind) > 0 and char_length(kind) < 128)
  );
  create index river_job_kind on river_job (kind);
  create index river_job_state_and_finalized_at_index on river_job (state, finalized_at) where finalized_at is not null;
  create index river_job_prioritized_fetching_index on river_job (state, queue, priority, scheduled_at, id);
  create index river_job_args_index on river_job using gin (args);
  create index river_job_metadata_index on river_job using gin (metadata);
  create unique index river_job_unique_idx on river_job (unique_key)
    where unique_key is not null and unique_states is not null and river_job_state_in_bitmask(unique_states, state);

  create unlogged table river_leader (
    elected_at timestamptz not null,
    expires_at timestamptz not null,
    leader_id text not null,
    name text primary key default 'default',
    constraint name_length check (name = 'default'),
    constraint leader_id_length check (char_length(leader_id) > 0 and char_length(leader_id) < 128)
  );
  create table river_queue (
    name text primary key not null,
    created_at timestamptz not null default now(),
    metadata jsonb not null default '{}',
    paused_at timestamptz,
    updated_at timestamptz not null default current_timestamp
  );
  create table river_notification (
    id bigserial primary key,
    created_at timestamptz not null default now(),
    payload text not null,
    topic text not null,
    constraint topic_length check (length(topic) > 0 and length(topic) < 128)
  );
  create index river_notification_created_at_idx on river_notification (created_at);
  create index river_notification_topic_id_idx on river_notification (topic, id);`;

const attemptError = (error: string): string =>
  `jsonb_build_object('at', now(), 'attempt', attempt, 'error', ${error}, 'trace', '')`;

/** JobSetStateIfRunningMany: what a client reports of a job counts only while the row is still running. */
const ifRunning = (changes: string): string => `
    update river_job
    set ${changes}
    where id = $1 and state = 'running'`;

/**
 * What River does to a row, as riverdriver/riverpgxv5/internal/dbsqlc/river_job.sql (v0.43.0) does it; $1 is the job's id.
 */
export const riverDoes = {
  /** JobGetAvailable */
  work: `
    update river_job
    set state = 'running', attempt = attempt + 1, attempted_at = clock_timestamp(),
      attempted_by = array_append(attempted_by, 'client')
    where id = $1 and state = 'available'`,
  /** JobSchedule, once the time has come */
  schedule: `update river_job set state = 'available' where id = $1 and state in ('retryable', 'scheduled')`,
  /** JobSchedule, when another job with the unique key is there */
  scheduleDuplicate: `
    update river_job
    set state = 'discarded', finalized_at = clock_timestamp(),
      metadata = metadata || '{"unique_key_conflict": "scheduler_discarded"}'
    where id = $1 and state in ('retryable', 'scheduled')`,
  complete: ifRunning(`state = 'completed', finalized_at = clock_timestamp()`),
  /** A try failed and there are more; $2 is the error. */
  retry: ifRunning(`state = 'retryable', scheduled_at = clock_timestamp() + interval '1 second',
      errors = array_append(errors, ${attemptError('$2::text')})`),
  discard: ifRunning(`state = 'discarded', finalized_at = clock_timestamp(),
      errors = array_append(errors, ${attemptError('$2::text')})`),
  snooze:
    ifRunning(`state = 'scheduled', scheduled_at = clock_timestamp() + interval '60 seconds', attempt = attempt - 1,
      metadata = metadata || '{"snoozes": 1}'`),
  /** The worker returned JobCancel. */
  cancelWithError: ifRunning(`state = 'cancelled', finalized_at = clock_timestamp(),
      errors = array_append(errors, ${attemptError('$2::text')})`),
  /** JobCancel of a job that is not running */
  cancel: `
    update river_job
    set state = 'cancelled', finalized_at = clock_timestamp(),
      metadata = jsonb_set(metadata, '{cancel_attempted_at}', to_jsonb(now()))
    where id = $1 and finalized_at is null and state <> 'running'`,
  /** JobRetry */
  retryByHand: `
    update river_job
    set state = 'available', finalized_at = null, scheduled_at = clock_timestamp(),
      max_attempts = case when attempt = max_attempts then max_attempts + 1 else max_attempts end
    where id = $1 and state <> 'running'`,
  /** JobRescueMany, for a job without attempts left: whatever its state is by now */
  rescueToDiscarded: `
    update river_job
    set state = 'discarded', finalized_at = clock_timestamp(),
      errors = array_append(errors, ${attemptError("'Stuck job rescued by JobRescuer'")}),
      metadata = metadata || '{"river:rescue_count": 1}'
    where id = $1`,
  /** JobDeleteBefore, for a job whose time is over */
  clean: `delete from river_job where id = $1 and finalized_at is not null`,
} as const;
