import type { Queryable } from '@tocsin/runtime';
import type { Silence } from '../store.ts';
import { silenceColumns } from './silence-columns.ts';

/** Silences that ended longer ago than that are not looked at any more, in days. */
export const endedLookedAtDays = 30;

/**
 * SQL that gives these columns of silences whose start or end came that long ago (milliseconds, an expression) and has not
 * been carried out, and as `due_at` when it came. Indexes silences_open; silences_by_end, and alerts_by_silence once for each
 * silence that ended lately: one that has ended and still mutes an open alert was ended by a process that died before it unmuted all.
 * `lateral` and its limit make the planner look there, instead of reading all muted alerts for each silence.
 */
export const silencesToCarryOut = (graceMs: string, columns: string): string => `
  select ${columns}, case when applied_at is null then starts_at else ends_at end as due_at
  from tocsin.silences
  where ended_at is null
    and starts_at <= statement_timestamp() - ${graceMs} * interval '1 millisecond'
    and (applied_at is null or ends_at <= statement_timestamp() - ${graceMs} * interval '1 millisecond')
  union all
  select ${columns}, ended_at as due_at
  from tocsin.silences
  cross join lateral (
    select
    from tocsin.alerts
    where silenced and state <> 'resolved' and (data -> 'silences') ? silences.id::text
    limit 1
  ) as muted
  where ended_at > statement_timestamp() - interval '${endedLookedAtDays} days'
    and ended_at <= statement_timestamp() - ${graceMs} * interval '1 millisecond'`;

export const dueSilencesText = `
select due.*
from (${silencesToCarryOut('0', silenceColumns)}
) as due
order by due.due_at, due.id
limit $1`;

/** Silences whose start or end has come and has not been carried out, the longest due first. */
export const dueSilences = async (tx: Queryable, limit: number): Promise<readonly Silence[]> => {
  const { rows } = await tx.query<Silence & { readonly due_at: unknown }>(dueSilencesText, [limit]);
  return rows.map(({ due_at: _dueAt, ...silence }) => silence);
};
