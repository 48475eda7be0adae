import type { Queryable } from '@tocsin/runtime';

// Index outcomes_by_age. What is not dealt with is kept, however old. Rows that another process deletes are left to it.
const text = `
delete from tocsin.outcomes
where ctid = any(array(
  select ctid
  from tocsin.outcomes
  where recorded_at < statement_timestamp() - $1 * interval '1 millisecond'
  order by recorded_at
  limit $2
  for update skip locked
))`;

/**
 * Deletes outcomes dealt with longer ago than that, oldest first, at most `limit`; answers how many. Only safe beyond
 * the detector's look-back: a forgotten outcome whose row is still looked at would be told again.
 */
export const forgetOutcomes = async (tx: Queryable, olderThanMs: number, limit: number): Promise<number> =>
  (await tx.query(text, [olderThanMs, limit])).rowCount;
