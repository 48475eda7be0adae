import type { Queryable } from '@tocsin/runtime';
import type { GlobalCursor } from './global-cursor.ts';

// Index events_global_order, read backwards. The horizon is that of `readEvents`, which goes on from here.
const text = `
select transaction_id::text as "transactionId", position
from tocsin.events
where transaction_id < pg_snapshot_xmin(pg_current_snapshot())
order by transaction_id desc, position desc
offset $1
limit 1`;

/** The place in the log after which its latest `count` events come; null when it has no more than that. */
export const cursorBeforeLatest = async (queryable: Queryable, count: number): Promise<GlobalCursor | null> => {
  const { rows } = await queryable.query<{ readonly transactionId: string; readonly position: number | string }>(text, [
    count,
  ]);
  const row = rows[0];
  return row === undefined ? null : { transactionId: row.transactionId, position: Number(row.position) };
};
