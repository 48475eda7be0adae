import { instantText } from '../instant.ts';

/** The columns of `tocsin.provider_events`, named so that a row is a `ProviderEvent` of the store. */
export const providerEventColumns = `
  provider_events.id,
  provider_events.provider,
  provider_events.attempt_id as "attemptId",
  provider_events.delivery_id as "deliveryId",
  provider_events.event,
  provider_events.recipient,
  provider_events.detail,
  ${instantText('provider_events.occurred_at')} as at`;
