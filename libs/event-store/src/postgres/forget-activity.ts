import type { Queryable } from '@tocsin/runtime';

// A scan of the table, which is small: as many rows as watched tables times the hours kept.
const text = `
delete from tocsin.table_activity
where ctid = any(array(
  select ctid
  from tocsin.table_activity
  where hour < statement_timestamp() - $1 * interval '1 millisecond'
  order by hour
  limit $2
  for update skip locked
))`;

/** Deletes hours of activity older than that, oldest first, at most `limit`; answers how many. */
export const forgetActivity = async (tx: Queryable, olderThanMs: number, limit: number): Promise<number> =>
  (await tx.query(text, [olderThanMs, limit])).rowCount;
