import type { Queryable } from '@tocsin/runtime';
import { toJsonb } from '../jsonb.ts';
import type { NewDelivery } from '../store.ts';

const text = `
insert into tocsin.deliveries (
  id,
  digest_id,
  channel,
  purpose,
  state,
  thread_id,
  message_id,
  alert_ids,
  resolved_ids,
  message,
  fallback_of,
  next_attempt_at
)
select
  delivery.id,
  delivery."digestId",
  delivery.channel,
  delivery.purpose,
  'pending',
  delivery."threadId",
  delivery."messageId",
  delivery."alertIds",
  delivery."resolvedIds",
  delivery.message,
  delivery."fallbackOf",
  statement_timestamp()
from rows from (
  jsonb_to_recordset($1::jsonb) as (
    id uuid,
    "digestId" uuid,
    channel text,
    purpose text,
    "threadId" uuid,
    "messageId" text,
    "alertIds" uuid[],
    "resolvedIds" uuid[],
    message jsonb,
    "fallbackOf" uuid
  )
) with ordinality as delivery
order by delivery.ordinality
on conflict (id) do nothing`;

/** Most deliveries in one statement: each carries a whole message. */
const deliveriesPerStatementMax = 50;

/** Adds deliveries, due at once. One whose id exists is left as it is. Their digests must have been saved before. */
export const insertDeliveries = async (tx: Queryable, deliveries: readonly NewDelivery[]): Promise<void> => {
  for (let start = 0; start < deliveries.length; start += deliveriesPerStatementMax) {
    await tx.query(text, [toJsonb(deliveries.slice(start, start + deliveriesPerStatementMax))]);
  }
};
