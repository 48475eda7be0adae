import { inMicroseconds } from '../instant.ts';
import { asStoredJsonb, cleanText } from '../jsonb.ts';
import { activityHoursMax } from '../postgres/activity-since.ts';
import type { StoreSession } from '../store.ts';
import type { MemoryWork } from './memory-tables.ts';

type Upkeep = Pick<StoreSession, 'loadCursor' | 'saveCursor' | 'beat' | 'quarantine' | 'addActivity' | 'activitySince'>;

/** Cursors, heartbeats, quarantine and the activity of tables, in memory. */
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
  addActivity: async (table, hour, changes) => {
    const counted = tables.activity.get(cleanText(table)) ?? {};
    const at = inMicroseconds(hour);
    tables.activity.set(cleanText(table), { ...counted, [at]: (counted[at] ?? 0) + changes });
  },
  activitySince: async (table, since) =>
    Object.entries(tables.activity.get(cleanText(table)) ?? {})
      .filter(([hour]) => hour >= inMicroseconds(since))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .slice(-activityHoursMax)
      .map(([hour, changes]) => ({ hour, changes })),
  quarantine: async (entries) => {
    for (const entry of asStoredJsonb(entries)) {
      if (tables.quarantine.has(entry.id)) continue;
      tables.quarantine.set(entry.id, { ...entry, payload: entry.payload ?? null, recordedAt: now() });
    }
  },
});
