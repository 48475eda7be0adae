-- The notifier's role in Tocsin's database: it appends to the log, keeps the read models and works through the queue.
-- It cannot change or delete an event, and changes no table's definition. It needs nothing in the jobs' database.
--
-- Run in Tocsin's database after each `npx tocsin migrate`, as the user that ran it. Make the role with create-role.sql
-- first. It is enough for the commands `npx tocsin alerts`, `replay`, `events` and `doctor`, too.
--
--   psql "$DATABASE_URL" -v ON_ERROR_STOP=1 -v role=tocsin_notifier -v database=tocsin -f notifier.sql

grant connect on database :"database" to :"role";
grant usage on schema tocsin, pgboss to :"role";

grant select on all tables in schema tocsin to :"role";
grant usage on all sequences in schema tocsin to :"role";
grant insert on tocsin.events, tocsin.quarantine to :"role";
grant insert, update on
  tocsin.alerts,
  tocsin.digests,
  tocsin.cursors,
  tocsin.heartbeats,
  tocsin.channel_states
  to :"role";
-- What is past its retention is deleted; locking it first takes `update`.
grant update, delete on tocsin.repairs to :"role";
grant insert, update, delete on
  tocsin.outcomes,
  tocsin.recent_successes,
  tocsin.held_failures,
  tocsin.deliveries,
  tocsin.delivery_attempts,
  tocsin.provider_events,
  tocsin.silences,
  tocsin.canary_jobs
  to :"role";

-- The queue: jobs are added, claimed, completed and, an hour later, deleted.
grant select, insert, update, delete on all tables in schema pgboss to :"role";
