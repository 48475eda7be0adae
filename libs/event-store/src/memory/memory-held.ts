import { inMicroseconds, laterInstant } from '../instant.ts';
import { asStoredJsonb, cleanText } from '../jsonb.ts';
import { heldPerKeyMax } from '../postgres/held-failures.ts';
import type { HeldFailure, StoreSession } from '../store.ts';
import type { MemoryWork } from './memory-tables.ts';

type Held = Pick<StoreSession, 'holdFailures' | 'heldFailures' | 'releaseHeld' | 'staleHeld'>;

/** Failures below their threshold, in memory. */
export const memoryHeld = ({ tables, now }: MemoryWork): Held => {
  const rows = () => tables.held.rows().filter((row) => row !== null);
  return {
    holdFailures: async (held) => {
      for (const failure of asStoredJsonb(held)) {
        const id = failure.signal.outcomeId;
        if ((tables.held.get(id) ?? null) === null) tables.held.set(id, { failure, heldAt: now() });
      }
    },
    heldFailures: async (keys) => {
      const wanted = new Set(keys.map(cleanText));
      const found = rows().flatMap(({ failure }) => (wanted.has(failure.key) ? [failure] : []));
      const byKey = Map.groupBy(found.sort(oldestFirst), ({ key }) => key);
      return [...byKey.values()].flatMap((held) => held.slice(-heldPerKeyMax)).sort(oldestFirst);
    },
    releaseHeld: async (ids) => {
      for (const id of ids) if (tables.held.has(id)) tables.held.set(id, null);
    },
    staleHeld: async (olderThanMs, limit) => {
      const before = laterInstant(now(), -olderThanMs);
      return rows()
        .filter(({ heldAt }) => heldAt < before)
        .sort((a, b) => compare(a.heldAt, b.heldAt))
        .slice(0, limit)
        .map(({ failure }) => failure);
    },
  };
};

const oldestFirst = ({ signal: a }: HeldFailure, { signal: b }: HeldFailure): number =>
  compare(inMicroseconds(a.failedAt), inMicroseconds(b.failedAt)) || compare(a.outcomeId, b.outcomeId);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
