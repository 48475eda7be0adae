import type { DigestId } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';

// Index deliveries_by_thread; one look per thread, however long the thread is.
const text = `
select thread.id, first.subject
from (select distinct unnest($1::uuid[]) as id) as thread
cross join lateral (
  select message ->> 'subject' as subject
  from tocsin.deliveries
  where thread_id = thread.id
  order by created_at
  limit 1
) as first`;

/** The subject of the first message of each thread; threads without a message are left out. */
export const threadSubjects = async (
  tx: Queryable,
  threadIds: readonly DigestId[],
): Promise<ReadonlyMap<DigestId, string>> => {
  if (threadIds.length === 0) return new Map();
  const { rows } = await tx.query<{ readonly id: DigestId; readonly subject: string }>(text, [threadIds]);
  return new Map(rows.map((row) => [row.id, row.subject]));
};
