-- Phase: expand. Lock: none on existing tables. Duration: milliseconds. Old code keeps working: there is none before this.
-- The log. Everything else in this schema can be rebuilt from it, except the ledger of deliveries and the record of outcomes.

-- Postgres checks the privilege to create a schema even under "if not exists"; a role that was given the schema by an
-- administrator need not have it.
do $$
begin
  if to_regnamespace('tocsin') is null then
    create schema tocsin;
  end if;
end
$$;

create table tocsin.events (
  position bigint generated always as identity primary key,
  -- Readers page by (transaction_id, position) below the oldest running transaction, so that a slower transaction is
  -- never skipped (docs/adr/0003-one-writer-at-a-time.md).
  transaction_id xid8 not null default pg_current_xact_id(),
  stream_id text not null,
  version integer not null check (version > 0),
  event_id uuid not null unique,
  type text not null,
  schema_version smallint not null check (schema_version > 0),
  data jsonb not null,
  metadata jsonb not null default '{}',
  occurred_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp(),
  constraint events_stream_version unique (stream_id, version)
);

create index events_global_order on tocsin.events (transaction_id, position);

-- Finds the alerts of one digest.
create index events_batched_by_digest on tocsin.events ((data ->> 'digestId')) where type = 'AlertBatched';

create function tocsin.refuse_event_change() returns trigger
language plpgsql as $$
begin
  raise exception 'tocsin.events is append-only: % refused', tg_op
    using errcode = 'restrict_violation', hint = 'Append a correcting event instead.';
end
$$;

create trigger events_are_append_only
  before update or delete or truncate on tocsin.events
  for each statement execute function tocsin.refuse_event_change();
