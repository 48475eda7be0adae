import type { Queryable } from '@tocsin/runtime';

// Index silences_by_end; alerts_by_silence once for each. A silence that still mutes an open alert is kept: its end has not
// been carried out. Rows that another process is deleting are left to it.
export const forgetSilencesText = `
delete from tocsin.silences
where ctid = any(array(
  select ctid
  from tocsin.silences
  where ended_at < statement_timestamp() - $1 * interval '1 millisecond'
    and not exists (
      select from tocsin.alerts
      where silenced and state <> 'resolved' and (data -> 'silences') ? silences.id::text
    )
  order by ended_at
  limit $2
  for update skip locked
))`;

/**
 * Deletes silences that ended longer ago than that, oldest first, at most `limit`; answers how many. What they muted stays
 * on record in the events of the alerts.
 */
export const forgetSilences = async (tx: Queryable, olderThanMs: number, limit: number): Promise<number> =>
  (await tx.query(forgetSilencesText, [olderThanMs, limit])).rowCount;
