import type { DigestId } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';

// Indexes deliveries_by_thread and alerts_open_by_id.
export const countOpenInThreadText = `
select count(*)::integer as count
from (
  select distinct told.id
  from tocsin.deliveries
  cross join lateral unnest(deliveries.alert_ids) as told (id)
  where thread_id = $1::uuid and state = 'accepted'
) as told
join tocsin.alerts on alerts.id = told.id
where alerts.state <> 'resolved'`;

/** Open alerts that an accepted message of a conversation told of; what has no such message yet is not counted. */
export const countOpenInThread = async (tx: Queryable, threadId: DigestId): Promise<number> =>
  (await tx.query<{ readonly count: number }>(countOpenInThreadText, [threadId])).rows[0]?.count ?? 0;
