import type { Queryable } from '@tocsin/runtime';

// Index recent_successes_by_age. Rows that another process is deleting are left to it.
const text = `
delete from tocsin.recent_successes
where ctid = any(array(
  select ctid
  from tocsin.recent_successes
  where recorded_at < statement_timestamp() - $1 * interval '1 millisecond'
  order by recorded_at
  limit $2
  for update skip locked
))`;

/** Deletes remembered successes older than that, oldest first, at most `limit`; answers how many. */
export const forgetSuccesses = async (tx: Queryable, olderThanMs: number, limit: number): Promise<number> =>
  (await tx.query(text, [olderThanMs, limit])).rowCount;
