import type { Queryable } from '@tocsin/runtime';

// A few rows a day. The one that has not come back yet is kept.
const text = `
delete from tocsin.canary_jobs
where ctid = any(array(
  select ctid
  from tocsin.canary_jobs
  where status in ('succeeded', 'canceled') and updated_at < statement_timestamp() - $1 * interval '1 millisecond'
  order by updated_at
  limit $2
  for update skip locked
))`;

/** Deletes canaries that were settled longer ago than that, oldest first, at most `limit`; answers how many. */
export const forgetCanaryJobs = async (tx: Queryable, olderThanMs: number, limit: number): Promise<number> =>
  (await tx.query(text, [olderThanMs, limit])).rowCount;
