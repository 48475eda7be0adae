import type { AlertId } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';

// Index alerts_open_by_id.
export const countOpenOfText = `
select count(*)::integer as count
from tocsin.alerts
where id = any($1::uuid[]) and state <> 'resolved'`;

/** How many of these alerts are open. */
export const countOpenOf = async (tx: Queryable, ids: readonly AlertId[]): Promise<number> =>
  ids.length === 0 ? 0 : ((await tx.query<{ readonly count: number }>(countOpenOfText, [ids])).rows[0]?.count ?? 0);
