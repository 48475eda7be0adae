import type { Queryable } from '@tocsin/runtime';

// Different work each, so that every row is an alert of its own; three causes, told apart only by numbers and names that
// the signature must see through.
const text = `
insert into public.research_jobs
  (source, job_type, target_id, status, attempts, max_attempts, payload, error, started_at, finished_at)
select
  (array['apple', 'spotify', 'tidal', 'deezer'])[1 + n % 4],
  (array['refresh_catalog', 'rebuild_index', 'sync_artists'])[1 + n % 3],
  $2 || '-' || n,
  'failed',
  3,
  3,
  '{}',
  case n % 3
    when 0 then 'HTTP 503 from https://api.example.com/v1/catalog/albums/' || n || '?include=artists after 30.4 s'
    when 1 then 'connection to server at "10.0.3.' || n % 250 || '", port 5432 failed: FATAL: remaining connection slots are reserved'
    else 'Traceback (most recent call last):\n  File "/srv/worker/catalog.py", line 218, in refresh\nKeyError: ''album ' || n || ''''
  end,
  now() - interval '1 minute',
  now()
from generate_series(1, $1::integer) as n`;

/** Inserts failed jobs of different work in one transaction. Resolves after the commit. @param prefix of the target ids */
export const insertFailures = async (queryable: Queryable, count: number, prefix: string): Promise<void> => {
  await queryable.query(text, [count, prefix]);
};
