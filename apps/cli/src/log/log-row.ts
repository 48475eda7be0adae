import { parseEvent } from '@tocsin/alert-model';
import type { StoredEvent } from '@tocsin/event-store';

/** A row of `tocsin.events` as the statements of this folder select it. */
export interface LogRow {
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

/** The event of a row. @throws InvariantError when it is damaged or of a newer Tocsin (see `parseEvent`). */
export const toStoredEvent = (row: LogRow): StoredEvent => ({
  position: Number(row.position),
  streamId: row.stream_id,
  version: row.version,
  eventId: row.event_id,
  event: parseEvent({ type: row.type, schemaVersion: row.schema_version, occurredAt: row.occurred_at, data: row.data }),
  metadata: row.metadata,
  recordedAt: row.recorded_at,
});
