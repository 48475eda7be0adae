-- Phase: expand. Lock: none on existing tables. Duration: milliseconds. Old code keeps working: there is none before this.
-- Read models, folded from tocsin.events in the transaction that appends (`tocsin replay --all --verify` proves it).

create table tocsin.alerts (
  id uuid primary key,
  key text not null,
  state text not null check (state in ('detected', 'batched', 'notified', 'acknowledged', 'resolved')),
  severity text not null check (severity in ('info', 'warning', 'error', 'critical')),
  source text not null,
  job_type text not null,
  target_id text,
  chain text,
  title text not null,
  occurrences integer not null check (occurrences > 0),
  escalation_level integer not null default 0,
  predecessor_id uuid,
  opened_at timestamptz not null,
  first_failed_at timestamptz not null,
  last_failed_at timestamptz not null,
  notified_at timestamptz,
  acknowledged_at timestamptz,
  acknowledged_by text,
  resolved_at timestamptz,
  resolution text,
  version integer not null check (version > 0),
  model_version integer not null check (model_version > 0),
  -- The whole folded state; the columns above are copies of its fields for queries.
  data jsonb not null,
  constraint alerts_resolved_has_time check ((state = 'resolved') = (resolved_at is not null))
);

-- At most one open alert per key.
create unique index alerts_open_key on tocsin.alerts (key) where state <> 'resolved';
create index alerts_by_state on tocsin.alerts (state, last_failed_at desc);
-- News that sits in no digest although nobody has acknowledged the alert: the audit puts it back on its way.
create index alerts_with_stray_news on tocsin.alerts (id)
  where (data -> 'pending') <> '{}'::jsonb and state <> 'acknowledged';
-- The detector's rotating look for successes goes through the open alerts only, in id order.
create index alerts_open_by_id on tocsin.alerts (id) where state <> 'resolved';
-- Predecessors: the newest resolved alert of a key.
create index alerts_resolved_by_key on tocsin.alerts (key, resolved_at desc) where state = 'resolved';

create table tocsin.digests (
  id uuid primary key,
  route text not null,
  purpose text not null check (purpose in ('window', 'escalation', 'lapse')),
  state text not null check (state in ('open', 'sealed', 'delivered', 'failed', 'empty')),
  opened_at timestamptz not null,
  due_at timestamptz not null,
  sealed_at timestamptz,
  settled_at timestamptz,
  version integer not null check (version > 0),
  model_version integer not null check (model_version > 0),
  data jsonb not null
);

-- One open digest per route and purpose: what happens meanwhile joins it.
create unique index digests_open_route on tocsin.digests (route, purpose) where state = 'open';
create index digests_open_due on tocsin.digests (due_at) where state = 'open';
