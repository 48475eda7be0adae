import type { DigestId } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';

// Index digests_open_due. Statement time, because no index can be used with clock_timestamp(), and now() stands still in
// a long transaction.
export const dueDigestsText = `
select id
from tocsin.digests
where state = 'open' and due_at <= statement_timestamp()
order by due_at, id
limit $1`;

/** Open digests whose time has come, oldest first. */
export const dueDigests = async (tx: Queryable, limit: number): Promise<readonly DigestId[]> =>
  (await tx.query<{ readonly id: DigestId }>(dueDigestsText, [limit])).rows.map((row) => row.id);
