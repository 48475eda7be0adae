/**
 * The three job tables of a document platform: long document jobs with heartbeat and checkpoint, and two kinds of rows that
 * count their parts. Statuses are text with a check, as its migrations define them.
 */
export const documentPlatformSchema = `
create table background_jobs (
  id uuid primary key default gen_random_uuid(),
  job_type text not null,
  document_id uuid,
  status text not null default 'pending' check (status in ('pending', 'processing', 'completed', 'failed')),
  progress integer not null default 0 check (progress between 0 and 100),
  current_stage text,
  checkpoint jsonb,
  metadata jsonb not null default '{}',
  error text,
  last_heartbeat timestamptz,
  started_at timestamptz,
  completed_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index background_jobs_status on background_jobs (status);
create table scraping_sessions (
  id uuid primary key default gen_random_uuid(),
  source_url text not null,
  status text not null default 'pending' check (status in ('pending', 'processing', 'scraping', 'completed', 'failed')),
  total_pages integer not null default 0,
  completed_pages integer not null default 0,
  failed_pages integer not null default 0,
  error_message text,
  background_job_id uuid references background_jobs (id),
  started_at timestamptz,
  completed_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create table data_import_jobs (
  id uuid primary key default gen_random_uuid(),
  source_name text not null,
  status text not null default 'pending' check (status in ('pending', 'processing', 'completed', 'failed')),
  total_products integer not null default 0,
  processed_products integer not null default 0,
  failed_products integer not null default 0,
  error_message text,
  background_job_id uuid references background_jobs (id),
  started_at timestamptz,
  completed_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
`;
