import type { DigestId } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { cleanText } from '../jsonb.ts';

// Index deliveries_by_thread; one look per conversation. By the time of the accept, so that the root never changes.
export const threadRootsText = `
select thread.id, root.provider_message_id as "rootId"
from (select distinct unnest($2::uuid[]) as id) as thread
cross join lateral (
  select provider_message_id
  from tocsin.deliveries
  where thread_id = thread.id and channel = $1 and accepted_at is not null and provider_message_id is not null
  order by accepted_at, created_at
  limit 1
) as root`;

/** What the provider called the first accepted message of each conversation on a channel; the others are left out. */
export const threadRoots = async (
  tx: Queryable,
  channel: string,
  threadIds: readonly DigestId[],
): Promise<ReadonlyMap<DigestId, string>> => {
  if (threadIds.length === 0) return new Map();
  const { rows } = await tx.query<{ readonly id: DigestId; readonly rootId: string }>(threadRootsText, [
    cleanText(channel),
    threadIds,
  ]);
  return new Map(rows.map(({ id, rootId }) => [id, rootId]));
};
