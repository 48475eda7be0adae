/**
 * `background_jobs` as SQLAlchemy writes it for a Flask backend with retries and a dead letter status: the status is an
 * enum type named after the class, times have no time zone. The indexes are those the application itself uses.
 */
export const backgroundJobsSchema = `
create type jobstatus as enum ('PENDING', 'RUNNING', 'SUCCESS', 'FAILED', 'DEAD_LETTER');
create table background_jobs (
  id varchar(36) primary key,
  job_type varchar(100) not null,
  status jobstatus not null default 'PENDING',
  payload json not null default '{}',
  result json,
  attempts integer not null default 0,
  max_retries integer not null default 3,
  next_run_at timestamp without time zone default (now() at time zone 'utc'),
  last_error text,
  created_at timestamp without time zone not null default (now() at time zone 'utc'),
  updated_at timestamp without time zone not null default (now() at time zone 'utc'),
  started_at timestamp without time zone,
  finished_at timestamp without time zone
);
create index ix_background_jobs_status_next_run_at on background_jobs (status, next_run_at);
create index ix_background_jobs_job_type on background_jobs (job_type);
create index ix_background_jobs_created_at on background_jobs (created_at);
`;
