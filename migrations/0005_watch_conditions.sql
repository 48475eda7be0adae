-- Phase: expand. Lock: tocsin.outcomes exclusively, while it is read twice: once for the new checks, once for the new
-- index, which is empty at first. Duration: milliseconds; 0.5 to 0.9 s at 1,000,000 outcomes (measured, PostgreSQL 18.4 on
-- two busy cores). Old code keeps working.
-- Conditions begin and end; thresholds hold failures back; the janitor keeps a ledger; workers may wake the detector.

-- `subject` is set for conditions only (stuck, stalled, overdue …): what is needed to see whether they still hold.
alter table tocsin.outcomes
  add column subject jsonb,
  add column ended_at timestamptz,
  add column end_cause text check (end_cause in ('alive', 'succeeded', 'canceled', 'vanished', 'ended')),
  add column end_note text,
  drop constraint outcomes_disposition_check,
  add constraint outcomes_disposition_check
    check (disposition in ('recorded', 'ignored', 'quarantined', 'held')),
  add constraint outcomes_ended_has_cause check ((ended_at is null) = (end_cause is null));

-- A condition holds once at a time, whatever detector sees it.
create unique index outcomes_open_conditions on tocsin.outcomes (job_table, kind, job_id)
  where subject is not null and ended_at is null;

-- Failures below the threshold of their rule: on record, not told yet.
create table tocsin.held_failures (
  outcome_id uuid primary key,
  key text not null,
  rule text not null,
  failed_at timestamptz not null,
  signal jsonb not null,
  held_at timestamptz not null default clock_timestamp()
);
create index held_failures_by_key on tocsin.held_failures (key, failed_at);
create index held_failures_by_age on tocsin.held_failures (held_at);

-- What the janitor meant to do and did. Written before the watched table is touched.
create table tocsin.repairs (
  id uuid primary key,
  outcome_id uuid not null,
  job_table text not null,
  job_id text not null,
  action text not null check (action in ('mark_dead', 'requeue')),
  -- Which restart of the job, from 1.
  restart integer check (restart > 0),
  state text not null check (state in ('intended', 'done', 'skipped')),
  reason text,
  intended_at timestamptz not null default clock_timestamp(),
  settled_at timestamptz,
  -- The alert that has it, set by the notifier.
  alert_id uuid,
  constraint repairs_settled_has_time check ((state = 'intended') = (settled_at is null))
);
create unique index repairs_by_outcome on tocsin.repairs (outcome_id);
create index repairs_by_job on tocsin.repairs (job_table, job_id) where action = 'requeue' and state <> 'skipped';
create index repairs_intended on tocsin.repairs (job_table) where state = 'intended';
-- What may be forgotten.
create index repairs_by_age on tocsin.repairs (settled_at) where settled_at is not null;

-- Optional, for workers: `select tocsin.hint()` after a job ended wakes the detector at once, when the transaction commits.
-- It writes nothing, waits for nothing and works when no detector listens.
create function tocsin.hint() returns void
language sql as $$
  select pg_notify('tocsin_hint', '')
$$;
