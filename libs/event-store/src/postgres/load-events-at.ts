import type { Queryable } from '@tocsin/runtime';
import type { StoredEvent } from '../store.ts';
import { eventColumns, storedEvent } from './event-row.ts';
import type { EventRow } from './event-row.ts';

// Index events_stream_version.
const text = `
select ${eventColumns}
from unnest($1::text[], $2::integer[]) with ordinality as wanted (stream_id, version, ordinal)
join tocsin.events on events.stream_id = wanted.stream_id and events.version = wanted.version
order by wanted.ordinal`;

/** Single events, in the order asked for; those that do not exist are left out. */
export const loadEventsAt = async (
  tx: Queryable,
  refs: readonly { readonly streamId: string; readonly version: number }[],
): Promise<readonly StoredEvent[]> => {
  if (refs.length === 0) return [];
  const { rows } = await tx.query<EventRow>(text, [refs.map((ref) => ref.streamId), refs.map((ref) => ref.version)]);
  return rows.map(storedEvent);
};
