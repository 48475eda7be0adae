-- Phase: expand. Lock: tocsin.alerts, digests, deliveries and delivery_attempts exclusively, while their new indexes are built;
-- no table is rewritten. Duration: 1 s at 200,000 alerts and as many deliveries, 3.6 s at 1,000,000 alerts (measured,
-- PostgreSQL 18.4 on two busy cores). Old code keeps working.
-- Silences, what notifiers share about channels, what providers say afterwards, canaries; and for each alert what happens
-- to it next, so that the audit reads indexes.

-- Mutes with an end. `ends_at` null: until the alerts in alert_ids are resolved.
create table tocsin.silences (
  id uuid primary key,
  -- Of a silence in tocsin.yaml.
  name text,
  match jsonb not null check (jsonb_typeof(match) = 'object'),
  made_by text not null,
  reason text,
  starts_at timestamptz not null,
  ends_at timestamptz,
  alert_ids uuid[] not null default '{}',
  created_at timestamptz not null default clock_timestamp(),
  -- Set once alerts that were open at its start have been muted.
  applied_at timestamptz,
  ended_at timestamptz,
  ended_by text,
  end_cause text check (end_cause in ('expired', 'ended')),
  constraint silences_ended_has_cause check ((ended_at is null) = (end_cause is null))
);
create index silences_open on tocsin.silences (starts_at) where ended_at is null;
-- What may be forgotten, and whether it has really ended.
create index silences_by_end on tocsin.silences (ended_at) where ended_at is not null;

-- What all notifiers know of a channel. A row appears with the first use.
create table tocsin.channel_states (
  channel text primary key,
  -- Attempts that failed one after the other; the circuit is open until open_until, and has opened so often without a
  -- success between.
  failures integer not null default 0 check (failures >= 0),
  open_until timestamptz,
  opened integer not null default 0 check (opened >= 0),
  -- The provider refused the key or the account.
  parked_at timestamptz,
  parked_reason text,
  last_accepted_at timestamptz,
  last_failed_at timestamptz,
  -- The last successful `tocsin channels test`, and the settings it was of.
  verified_at timestamptz,
  verified_settings text,
  -- The bucket of its rate limit, as it was at tokens_at; null: full.
  tokens double precision,
  tokens_at timestamptz,
  constraint channel_states_parked_has_reason check ((parked_at is null) = (parked_reason is null)),
  constraint channel_states_tokens_have_time check ((tokens is null) = (tokens_at is null))
);

-- What providers said of messages afterwards; the same event comes several times and in any order.
create table tocsin.provider_events (
  id text primary key,
  provider text not null check (provider in ('sendgrid')),
  attempt_id uuid,
  delivery_id uuid,
  event text not null,
  recipient text,
  detail text,
  occurred_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp()
);
create index provider_events_by_delivery on tocsin.provider_events (delivery_id, occurred_at) where delivery_id is not null;
-- What may be forgotten.
create index provider_events_by_age on tocsin.provider_events (recorded_at);

-- Jobs that fail on purpose, so that it is seen whether failures arrive and how fast. A watched table like any other, read
-- with the adapter research_jobs; so it has every column and index of it, although most of them stay empty, and there is
-- nothing in it to complain of.
create table tocsin.canary_jobs (
  id uuid primary key default gen_random_uuid(),
  source text not null default 'tocsin',
  job_type text not null default 'canary',
  target_id text,
  status text not null default 'failed'
    check (status in ('pending', 'running', 'succeeded', 'failed', 'dead', 'canceled')),
  attempts integer not null default 1,
  max_attempts integer not null default 1,
  payload jsonb not null default '{}',
  result jsonb,
  error text,
  run_after timestamptz not null default clock_timestamp(),
  started_at timestamptz default clock_timestamp(),
  heartbeat_at timestamptz,
  finished_at timestamptz default clock_timestamp(),
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp()
);
create index canary_jobs_failures on tocsin.canary_jobs (updated_at, id) where status in ('failed', 'dead');
create index canary_jobs_successes on tocsin.canary_jobs (source, job_type, target_id, finished_at) where status = 'succeeded';
create index canary_jobs_running on tocsin.canary_jobs (status) where status in ('running');
create index canary_jobs_due on tocsin.canary_jobs (run_after) where status in ('pending');
create index canary_jobs_retries on tocsin.canary_jobs (run_after)
  where status in ('failed')
    and (attempts >= max_attempts or attempts is null or attempts < 0 or max_attempts is null or max_attempts < 0) is not true;
create index canary_jobs_ends on tocsin.canary_jobs (source, job_type, finished_at) where status in ('succeeded', 'failed', 'dead');
create index canary_jobs_partials on tocsin.canary_jobs (updated_at, id)
  where status in ('succeeded')
    and (case when (result #>> '{failed}'::text[]) ~ '^-?[0-9]{1,15}$' then (result #>> '{failed}'::text[])::bigint end) > 0;
create index canary_jobs_chain_runs on tocsin.canary_jobs (source, (payload ->> 'chain_started_at'))
  where payload ->> 'chain_started_at' is not null;

-- Copies of fields of `data`. Null and false in rows of an older model, until they are folded again.
alter table tocsin.alerts
  add column next_action text,
  add column next_action_at timestamptz,
  add column silenced boolean not null default false;

-- Clocks that have run out. Those whose news is in a digest are apart: its deliveries have clocks of their own, and a channel
-- that is down for a day must not stand before all others.
create index alerts_due on tocsin.alerts (next_action_at) where next_action_at is not null and next_action <> 'digest';
create index alerts_due_digest on tocsin.alerts (next_action_at) where next_action_at is not null and next_action = 'digest';
-- Those that nobody was told of because no channel took the message.
create index alerts_untold on tocsin.alerts (id)
  where state not in ('acknowledged', 'resolved')
    and data -> 'told' = '[]'::jsonb
    and data -> 'failedDeliveries' > '0'::jsonb;
-- How many keys were opened lately, and when the last one.
create index alerts_by_opening on tocsin.alerts (opened_at desc) include (source);
-- Whether a certain silence still mutes any.
create index alerts_by_silence on tocsin.alerts using gin ((data -> 'silences')) where silenced and state <> 'resolved';
-- News that sits in no digest and should: not that of an alert which is acknowledged or silenced, nor what a flapping one
-- keeps to itself. Older code reads alerts_with_stray_news, which goes when there is none.
create index alerts_with_news_to_tell on tocsin.alerts (id)
  where state <> 'acknowledged' and (data -> 'pending') <> '{}'::jsonb
    and (
      state = 'resolved'
      or (
        not silenced
        and (
          coalesce(data -> 'flapping', 'null'::jsonb) = 'null'::jsonb
          or data @? '$.pending.* ? (@.opened == true || @.settled == true || @.lapse != null || @.unsilenced != null)'
        )
      )
    );

-- Wider than the checks they replace, so every row there is satisfies them and none has to be read.
alter table tocsin.digests
  drop constraint digests_purpose_check,
  add constraint digests_purpose_check
    check (purpose in ('window', 'escalation', 'lapse', 'urgent', 'storm', 'heartbeat')) not valid;
-- Several digests of a route and purpose may be open: what breaks through quiet hours does not wait with what keeps them, and
-- every level of an escalation has channels of its own. Writers of the log come one after the other, so that none is opened twice.
drop index tocsin.digests_open_route;
create index digests_open_by_route on tocsin.digests (route, purpose) where state = 'open';
-- Messages of storms go on in the conversation of the last one of their route.
create index digests_of_storms on tocsin.digests (sealed_at) where purpose = 'storm' and sealed_at is not null;

alter table tocsin.deliveries
  -- When the provider said that it was delivered.
  add column confirmed_at timestamptz,
  drop constraint deliveries_purpose_check,
  add constraint deliveries_purpose_check
    check (purpose in ('window', 'escalation', 'lapse', 'urgent', 'storm', 'heartbeat')) not valid;
-- Given up. Whether something took over is seen by deliveries_by_replaced.
create index deliveries_given_up on tocsin.deliveries (created_at) where state = 'rejected';

-- `claimed`: written down, the provider not called yet. `confirmed`: the provider said that it was delivered.
alter table tocsin.delivery_attempts
  drop constraint delivery_attempts_outcome_check,
  add constraint delivery_attempts_outcome_check
    check (outcome in ('claimed', 'attempting', 'accepted', 'retry', 'rejected', 'unknown', 'confirmed')) not valid,
  drop constraint delivery_attempts_ended,
  add constraint delivery_attempts_ended
    check ((outcome in ('claimed', 'attempting')) = (ended_at is null)) not valid;
create index delivery_attempts_open on tocsin.delivery_attempts (started_at) where ended_at is null;
