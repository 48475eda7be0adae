import { parseEvent } from '@tocsin/alert-model';
import { instantText } from '../instant.ts';
import type { StoredEvent } from '../store.ts';

/** The columns of `tocsin.events` that make a {@link StoredEvent}. */
export const eventColumns = `
  events.position,
  events.stream_id,
  events.version,
  events.event_id,
  events.type,
  events.schema_version,
  events.data,
  events.metadata,
  ${instantText('events.occurred_at')} as occurred_at,
  ${instantText('events.recorded_at')} as recorded_at`;

export interface EventRow {
  readonly position: number | string;
  readonly stream_id: string;
  readonly version: number;
  readonly event_id: string;
  readonly type: string;
  readonly schema_version: number;
  readonly data: unknown;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly occurred_at: string;
  readonly recorded_at: string;
}

/** @throws InvariantError when the event is of a newer Tocsin, or damaged (see parseEvent). */
export const storedEvent = (row: EventRow): StoredEvent => ({
  position: Number(row.position),
  streamId: row.stream_id,
  version: row.version,
  eventId: row.event_id,
  event: parseEvent({ type: row.type, schemaVersion: row.schema_version, occurredAt: row.occurred_at, data: row.data }),
  metadata: row.metadata,
  recordedAt: row.recorded_at,
});
