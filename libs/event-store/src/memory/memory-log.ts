import { randomUUID } from 'node:crypto';
import type { AlertId } from '@tocsin/alert-model';
import { eventRows, versionConflict } from '../event-rows.ts';
import { asStoredJsonb } from '../jsonb.ts';
import type { StoreSession, StoredEvent } from '../store.ts';
import type { MemoryWork } from './memory-tables.ts';

type Log = Pick<StoreSession, 'appendEvents' | 'loadStream' | 'loadEventsAt' | 'alertsOfDigest'>;

/** The log of events, in memory. */
export const memoryLog = ({ tables, now }: MemoryWork): Log => ({
  appendEvents: async (appends) => {
    const rows = eventRows(appends);
    let position = tables.events.size();
    for (const [streamId, added] of Map.groupBy(rows, (row) => row.streamId)) {
      if ((tables.streams.get(streamId)?.length ?? 0) !== added[0]?.expected) throw versionConflict([streamId]);
    }
    const streams = new Map<string, StoredEvent[]>();
    for (const row of rows) {
      position += 1;
      const data = asStoredJsonb(row.data);
      const stored: StoredEvent = {
        position,
        streamId: row.streamId,
        version: row.version,
        eventId: randomUUID(),
        event: { type: row.type, occurredAt: row.occurredAt, data } as StoredEvent['event'],
        metadata: {},
        recordedAt: now(),
      };
      tables.events.set(String(position), stored);
      const stream = streams.get(row.streamId) ?? [...(tables.streams.get(row.streamId) ?? [])];
      stream.push(stored);
      streams.set(row.streamId, stream);
      if (stored.event.type === 'AlertBatched') {
        const { digestId } = stored.event.data;
        tables.batched.set(digestId, new Set([...(tables.batched.get(digestId) ?? []), row.streamId]));
      }
    }
    for (const [streamId, stream] of streams) tables.streams.set(streamId, stream);
  },
  loadStream: async (streamId) => tables.streams.get(streamId) ?? [],
  loadEventsAt: async (refs) =>
    refs.flatMap(({ streamId, version }) => tables.streams.get(streamId)?.[version - 1] ?? []),
  alertsOfDigest: async (digestId) =>
    [...(tables.batched.get(digestId) ?? [])].map((streamId) => streamId.slice('alert-'.length) as AlertId).sort(),
});
