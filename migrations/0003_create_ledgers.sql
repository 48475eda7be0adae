-- Phase: expand. Lock: none on existing tables. Duration: milliseconds. Old code keeps working: there is none before this.
-- What the log does not hold: outcomes already seen, deliveries and their attempts, cursors, heartbeats, quarantine.

-- One row per outcome ever signalled. `signalled_at` is set by the detector in the transaction that sends the signal;
-- `alert_id` by the notifier in the transaction that appends FailureDetected. A row without alert_id is unaccounted.
create table tocsin.outcomes (
  id uuid primary key,
  job_table text not null,
  job_id text not null,
  kind text not null,
  failed_at timestamptz not null,
  signalled_at timestamptz not null default clock_timestamp(),
  alert_id uuid,
  disposition text check (disposition in ('recorded', 'ignored', 'quarantined')),
  recorded_at timestamptz,
  constraint outcomes_recorded_has_time check ((disposition is null) = (recorded_at is null))
);
create index outcomes_unaccounted on tocsin.outcomes (signalled_at) where disposition is null;
-- The job first, so that it is found without knowing its table.
-- What may be forgotten.
create index outcomes_by_age on tocsin.outcomes (recorded_at) where recorded_at is not null;
create index outcomes_by_job on tocsin.outcomes (job_id, job_table);

-- Successes lately reported for watched work, so that a failure which arrives after its own recovery is recorded as
-- recovered, whatever the order of delivery. Kept for a bounded time.
create table tocsin.recent_successes (
  id uuid not null,
  -- A success may matter to several keys: its own, and its chain's.
  key text not null,
  finished_at timestamptz not null,
  signal jsonb not null,
  recorded_at timestamptz not null default clock_timestamp(),
  primary key (id, key)
);
create index recent_successes_by_key on tocsin.recent_successes (key, finished_at);
create index recent_successes_by_age on tocsin.recent_successes (recorded_at);

create table tocsin.deliveries (
  id uuid primary key,
  digest_id uuid not null references tocsin.digests (id),
  channel text not null,
  purpose text not null check (purpose in ('window', 'escalation', 'lapse')),
  state text not null check (state in ('pending', 'attempting', 'retrying', 'unknown', 'accepted', 'rejected', 'replaced')),
  thread_id uuid not null,
  message_id text not null,
  -- Whom it is about, in the order in which settling proceeds; resolved_ids are those it reports as resolved.
  alert_ids uuid[] not null,
  resolved_ids uuid[] not null default '{}',
  message jsonb not null,
  attempts integer not null default 0,
  fallback_of uuid references tocsin.deliveries (id),
  -- The next try; in state 'attempting' the moment after which the attempt counts as unknown.
  next_attempt_at timestamptz,
  last_reason text,
  provider_message_id text,
  created_at timestamptz not null default clock_timestamp(),
  accepted_at timestamptz,
  -- How many of alert_ids already carry the result in their stream; settled_at is set with the last.
  settled_count integer not null default 0,
  settled_at timestamptz,
  constraint deliveries_waiting_has_time check ((state in ('pending', 'attempting', 'retrying', 'unknown')) = (next_attempt_at is not null))
);
create index deliveries_waiting on tocsin.deliveries (next_attempt_at) where next_attempt_at is not null;
create index deliveries_unsettled on tocsin.deliveries (created_at) where state in ('accepted', 'rejected', 'replaced') and settled_at is null;
-- What may be forgotten, and whether something still refers to it.
create index deliveries_by_settling on tocsin.deliveries (settled_at) where settled_at is not null;
create index deliveries_by_replaced on tocsin.deliveries (fallback_of) where fallback_of is not null;
create index deliveries_by_digest on tocsin.deliveries (digest_id);
create index deliveries_by_thread on tocsin.deliveries (thread_id, created_at);
create index deliveries_by_alert on tocsin.deliveries using gin (alert_ids);

create table tocsin.delivery_attempts (
  id uuid primary key,
  delivery_id uuid not null references tocsin.deliveries (id),
  number integer not null check (number > 0),
  outcome text not null check (outcome in ('attempting', 'accepted', 'retry', 'rejected', 'unknown')),
  reason text,
  detail text,
  status integer,
  provider_message_id text,
  started_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz,
  constraint delivery_attempts_number unique (delivery_id, number),
  constraint delivery_attempts_ended check ((outcome = 'attempting') = (ended_at is null))
);

create table tocsin.cursors (
  name text primary key,
  changed_at timestamptz not null,
  data jsonb not null default '{}',
  updated_at timestamptz not null default clock_timestamp()
);

create table tocsin.heartbeats (
  component text not null,
  instance text not null,
  started_at timestamptz not null default clock_timestamp(),
  beat_at timestamptz not null default clock_timestamp(),
  data jsonb not null default '{}',
  primary key (component, instance)
);

-- Signals that could not be read or applied. Nothing is lost: the payload stays here and an alert tells of it.
create table tocsin.quarantine (
  id uuid primary key,
  queue text not null,
  payload jsonb not null,
  reason text not null,
  recorded_at timestamptz not null default clock_timestamp()
);
