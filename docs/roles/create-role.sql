-- A role that may log in and do nothing yet. The other files of this folder say what it may do.
--
-- Run as a user with `createrole`, once per server: roles belong to the whole server, not to one database.
--
--   psql "$DATABASE_URL" -v ON_ERROR_STOP=1 -v role=tocsin_detector -v password="$PASSWORD" -f create-role.sql

create role :"role" with
  login
  nosuperuser
  nocreatedb
  nocreaterole
  noreplication
  nobypassrls
  password :'password';
