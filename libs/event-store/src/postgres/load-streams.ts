import type { Queryable } from '@tocsin/runtime';
import type { StoredEvent } from '../store.ts';
import { eventColumns, storedEvent } from './event-row.ts';
import type { EventRow } from './event-row.ts';

// Index events_stream_version.
const text = `
select ${eventColumns}
from tocsin.events
where stream_id = any($1::text[])
order by stream_id, version`;

/** All events of these streams, stream by stream, each in the order of its versions. Unknown streams have none. */
export const loadStreams = async (tx: Queryable, streamIds: readonly string[]): Promise<readonly StoredEvent[]> => {
  if (streamIds.length === 0) return [];
  const { rows } = await tx.query<EventRow>(text, [streamIds]);
  return rows.map(storedEvent);
};
