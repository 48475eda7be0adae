import type { DeliveryId } from '@tocsin/alert-model';
import type { ProviderEvent } from '@tocsin/event-store';
import type { Queryable } from '@tocsin/runtime';

/** Most events read; of more, the newest. */
const eventsMax = 2_000;

// Index provider_events_by_delivery.
const text = `
select
  id,
  provider,
  attempt_id as "attemptId",
  delivery_id as "deliveryId",
  event,
  recipient,
  detail,
  to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at
from tocsin.provider_events
where delivery_id = any($1::uuid[])
order by occurred_at desc, id desc
limit $2`;

/** What providers said of these deliveries, in the order it happened. */
export const readProviderEvents = async (
  queryable: Queryable,
  deliveryIds: readonly DeliveryId[],
): Promise<readonly ProviderEvent[]> =>
  deliveryIds.length === 0
    ? []
    : (await queryable.query<ProviderEvent>(text, [deliveryIds, eventsMax])).rows.toReversed();
