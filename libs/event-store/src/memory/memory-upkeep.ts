import { inMicroseconds } from '../instant.ts';
import { asStoredJsonb } from '../jsonb.ts';
import type { StoreSession } from '../store.ts';
import type { MemoryWork } from './memory-tables.ts';

type Upkeep = Pick<StoreSession, 'loadCursor' | 'saveCursor' | 'beat' | 'quarantine'>;

/** Cursors, heartbeats and quarantine, in memory. */
export const memoryUpkeep = ({ tables, now }: MemoryWork): Upkeep => ({
  loadCursor: async (name) => tables.cursors.get(name) ?? null,
  saveCursor: async (name, instant, data) => {
    const changedAt = inMicroseconds(instant);
    if ((tables.cursors.get(name)?.changedAt ?? '') <= changedAt)
      tables.cursors.set(name, { changedAt, data: asStoredJsonb(data) });
  },
  beat: async (component, instance, data) => {
    const key = JSON.stringify([component, instance]);
    const startedAt = tables.heartbeats.get(key)?.startedAt ?? now();
    tables.heartbeats.set(key, { component, instance, startedAt, beatAt: now(), data: asStoredJsonb(data) });
  },
  quarantine: async (entries) => {
    for (const entry of asStoredJsonb(entries)) {
      if (tables.quarantine.has(entry.id)) continue;
      tables.quarantine.set(entry.id, { ...entry, payload: entry.payload ?? null, recordedAt: now() });
    }
  },
});
