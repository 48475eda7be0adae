import type { DeliveryId } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import type { ProviderEvent } from '../store.ts';
import { providerEventColumns } from './provider-event-columns.ts';

/** Most events of one delivery in an answer: several for each of its recipients. */
export const eventsPerDeliveryMax = 2_000;

// Index provider_events_by_delivery.
export const providerEventsOfText = `
select ${providerEventColumns}
from tocsin.provider_events
where delivery_id = $1::uuid
order by provider_events.occurred_at, provider_events.id
limit $2`;

/** What the provider said of a delivery, in the order it happened, at most {@link eventsPerDeliveryMax}. */
export const providerEventsOf = async (tx: Queryable, deliveryId: DeliveryId): Promise<readonly ProviderEvent[]> =>
  (await tx.query<ProviderEvent>(providerEventsOfText, [deliveryId, eventsPerDeliveryMax])).rows;
