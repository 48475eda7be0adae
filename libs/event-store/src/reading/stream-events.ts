import type { Instant } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { eventColumns, storedEvent } from '../postgres/event-row.ts';
import type { EventRow } from '../postgres/event-row.ts';
import type { StoredEvent } from '../store.ts';

// Index events_stream_version.
const text = `
select ${eventColumns}
from tocsin.events
where stream_id = $1
  and ($2::timestamptz is null or occurred_at <= $2)
  and ($3::integer is null or version <= $3)
order by version`;

/** The events of one stream in the order of their versions, up to an instant or a version (both included) if given. */
export const streamEvents = async (
  queryable: Queryable,
  streamId: string,
  bounds: { readonly until?: Instant; readonly version?: number } = {},
): Promise<readonly StoredEvent[]> => {
  const { rows } = await queryable.query<EventRow>(text, [streamId, bounds.until ?? null, bounds.version ?? null]);
  return rows.map(storedEvent);
};
