-- The janitor's role in the jobs' database: it reads one table and changes the columns that say where a job stands.
-- It inserts nothing, deletes nothing, and cannot change what a job is or what it is to do.
--
-- Only needed where a rule has `on_stuck: mark_dead` or `requeue`. Run once for each such table, in the jobs' database, as
-- the owner of the table or a superuser. Make the role with create-role.sql first.
-- The columns are those of research_jobs; for another table take those of the same meaning.
--
--   psql "$JOBS_DATABASE_URL" -v ON_ERROR_STOP=1 \
--     -v role=tocsin_janitor -v database=jobs -v schema=public -v table=research_jobs -f janitor.sql

grant connect on database :"database" to :"role";
grant usage on schema :"schema" to :"role";
grant select on :"schema".:"table" to :"role";
grant update (status, error, run_after, started_at, heartbeat_at, finished_at, updated_at)
  on :"schema".:"table" to :"role";
