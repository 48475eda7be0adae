import type { Queryable } from '@tocsin/runtime';

// Index outcomes_by_age. What is not dealt with is kept, however old: an outcome without a disposition, a failure still
// held below its threshold, a condition that holds, and one that ended of late, whose end may be on its way to its alert.
// Rows that another process deletes are left to it.
export const forgetOutcomesText = `
delete from tocsin.outcomes
where ctid = any(array(
  select ctid
  from tocsin.outcomes
  where
    recorded_at < statement_timestamp() - $1 * interval '1 millisecond'
    and disposition <> 'held'
    and (subject is null or ended_at < statement_timestamp() - $1 * interval '1 millisecond')
  order by recorded_at
  limit $2
  for update skip locked
))`;

/**
 * Deletes outcomes dealt with, and conditions ended, longer ago than that, oldest first, at most `limit`; answers how
 * many. Only safe beyond the detector's look-back: a forgotten outcome whose row is still looked at would be told again.
 */
export const forgetOutcomes = async (tx: Queryable, olderThanMs: number, limit: number): Promise<number> =>
  (await tx.query(forgetOutcomesText, [olderThanMs, limit])).rowCount;
