import type { AlertId, DigestId } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';

// Index events_batched_by_digest.
export const alertsOfDigestText = `
select distinct substring(stream_id from length('alert-') + 1)::uuid as id
from tocsin.events
where type = 'AlertBatched' and data ->> 'digestId' = $1::text
order by id`;

/** The alerts that a digest took news from, in id order. */
export const alertsOfDigest = async (tx: Queryable, digestId: DigestId): Promise<readonly AlertId[]> =>
  (await tx.query<{ readonly id: AlertId }>(alertsOfDigestText, [digestId])).rows.map((row) => row.id);
