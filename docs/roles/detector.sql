-- The detector's role in Tocsin's database: it announces outcomes, moves cursors, says that it is alive and adds jobs to
-- the queue. It reads alerts, because it looks for the successes that open ones wait for. It writes none. It reads the
-- canaries that the notifier makes, which are a watched table like any other.
--
-- Run in Tocsin's database after each `npx tocsin migrate`, as the user that ran it. Make the role with create-role.sql first.
--
--   psql "$DATABASE_URL" -v ON_ERROR_STOP=1 -v role=tocsin_detector -v database=tocsin -f detector.sql

grant connect on database :"database" to :"role";
grant usage on schema tocsin, pgboss to :"role";

grant select on
  tocsin.migrations,
  tocsin.events,
  tocsin.alerts,
  tocsin.canary_jobs
  to :"role";
grant select, insert, update on
  tocsin.outcomes,
  tocsin.cursors,
  tocsin.heartbeats,
  tocsin.repairs
  to :"role";

-- The queue: a job is added, and its depth is read; nothing is taken out, nothing is migrated.
grant select on pgboss.version, pgboss.queue to :"role";
grant select, insert on pgboss.job, pgboss.job_common to :"role";
