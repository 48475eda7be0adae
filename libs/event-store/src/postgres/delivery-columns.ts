import { instantText } from '../instant.ts';

/** The columns of `tocsin.deliveries`, named so that a row is a `Delivery` of the store. */
export const deliveryColumns = `
  deliveries.id,
  deliveries.digest_id as "digestId",
  deliveries.channel,
  deliveries.purpose,
  deliveries.state,
  deliveries.thread_id as "threadId",
  deliveries.message_id as "messageId",
  deliveries.alert_ids::text[] as "alertIds",
  deliveries.resolved_ids::text[] as "resolvedIds",
  deliveries.message,
  deliveries.attempts,
  deliveries.fallback_of as "fallbackOf",
  ${instantText('deliveries.next_attempt_at')} as "nextAttemptAt",
  deliveries.last_reason as "lastReason",
  deliveries.provider_message_id as "providerMessageId",
  ${instantText('deliveries.created_at')} as "createdAt",
  ${instantText('deliveries.accepted_at')} as "acceptedAt",
  ${instantText('deliveries.confirmed_at')} as "confirmedAt",
  deliveries.settled_count as "settledCount",
  ${instantText('deliveries.settled_at')} as "settledAt"`;

/** The columns of `tocsin.delivery_attempts`, named so that a row is a `DeliveryAttempt` of the store. */
export const attemptColumns = `
  delivery_attempts.id,
  delivery_attempts.delivery_id as "deliveryId",
  delivery_attempts.number,
  delivery_attempts.outcome,
  delivery_attempts.reason,
  delivery_attempts.detail,
  delivery_attempts.status,
  delivery_attempts.provider_message_id as "providerMessageId",
  ${instantText('delivery_attempts.started_at')} as "startedAt",
  ${instantText('delivery_attempts.ended_at')} as "endedAt"`;
