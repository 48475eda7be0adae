import type { Queryable } from '@tocsin/runtime';
import { chunks } from '../chunks.ts';
import { toJsonb } from '../jsonb.ts';
import type { ProviderEvent } from '../store.ts';
import { providerEventColumns } from './provider-event-columns.ts';

// In the order of ids, so that two requests with the same events wait for each other instead of deadlocking.
const text = `
insert into tocsin.provider_events (id, provider, attempt_id, delivery_id, event, recipient, detail, occurred_at)
select
  said.id,
  said.provider,
  said."attemptId",
  said."deliveryId",
  said.event,
  said.recipient,
  said.detail,
  said.at
from jsonb_to_recordset($1::jsonb) as said (
  id text,
  provider text,
  "attemptId" uuid,
  "deliveryId" uuid,
  event text,
  recipient text,
  detail text,
  at timestamptz
)
order by said.id
on conflict (id) do nothing
returning ${providerEventColumns}`;

/**
 * Keeps what providers said; answers what was not known before, in the order of its ids. Of two events with one id the first
 * counts. Ids of deliveries and attempts must be UUIDs, or the statement fails.
 */
export const recordProviderEvents = async (
  tx: Queryable,
  events: readonly ProviderEvent[],
): Promise<readonly ProviderEvent[]> => {
  const added: ProviderEvent[] = [];
  for (const rows of chunks(oncePerEvent(events))) {
    added.push(...(await tx.query<ProviderEvent>(text, [toJsonb(rows)])).rows);
  }
  return added.sort((a, b) => (a.id < b.id ? -1 : 1));
};

/** One event per id, the first, in the order of ids over all statements of one call. */
export const oncePerEvent = (events: readonly ProviderEvent[]): readonly ProviderEvent[] => {
  const kept = new Map<string, ProviderEvent>();
  for (const event of events) if (!kept.has(event.id)) kept.set(event.id, event);
  return [...kept.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
};
