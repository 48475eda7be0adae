-- The detector's role in the jobs' database: it reads one table, and changes nothing.
--
-- Run once for each watched table, and for each table that its adapter reads besides (docs/adapters), in the jobs' database,
-- as the owner of the table or a superuser. Make the role with create-role.sql first. Only a superuser, or who has the role
-- pg_read_all_stats with admin option, may give the last grant.
--
--   psql "$JOBS_DATABASE_URL" -v ON_ERROR_STOP=1 \
--     -v role=tocsin_jobs_reader -v database=jobs -v schema=public -v table=research_jobs -f jobs-reader.sql

grant connect on database :"database" to :"role";
grant usage on schema :"schema" to :"role";
grant select on :"schema".:"table" to :"role";

-- Shows the role when the oldest open transaction began, so that the cursor waits for rows that are committed late. It
-- also shows it the statements that run on the server. Without it, such rows are found up to a minute later, by comparison.
grant pg_read_all_stats to :"role";
