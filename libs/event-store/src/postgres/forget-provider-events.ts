import type { Queryable } from '@tocsin/runtime';

// Index provider_events_by_age. Rows that another process is deleting are left to it.
export const forgetProviderEventsText = `
delete from tocsin.provider_events
where ctid = any(array(
  select ctid
  from tocsin.provider_events
  where recorded_at < statement_timestamp() - $1 * interval '1 millisecond'
  order by recorded_at
  limit $2
  for update skip locked
))`;

/**
 * Deletes what providers said longer ago than that, oldest first, at most `limit`; answers how many. An event that comes
 * again later is taken for new; providers repeat theirs for a day or two.
 */
export const forgetProviderEvents = async (tx: Queryable, olderThanMs: number, limit: number): Promise<number> =>
  (await tx.query(forgetProviderEventsText, [olderThanMs, limit])).rowCount;
