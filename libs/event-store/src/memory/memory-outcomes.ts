import { inMicroseconds } from '../instant.ts';
import { asStoredJsonb, cleanText } from '../jsonb.ts';
import { oncePerOutcome } from '../postgres/record-outcomes.ts';
import type { StoreSession } from '../store.ts';
import type { MemoryWork } from './memory-tables.ts';

type Outcomes = Pick<StoreSession, 'recordedOutcomes' | 'recordOutcomes' | 'rememberSuccesses' | 'recentSuccesses'>;

/** What the notifier has dealt with, and remembered successes, in memory. */
export const memoryOutcomes = ({ tables, now }: MemoryWork): Outcomes => ({
  recordedOutcomes: async (ids) =>
    new Set(
      ids.filter((id) => {
        const disposition = tables.outcomes.get(id)?.disposition ?? null;
        return disposition !== null && disposition !== 'quarantined';
      }),
    ),
  recordOutcomes: async (outcomes) => {
    for (const { id, table, jobId, kind, failedAt, alertId, disposition } of oncePerOutcome(asStoredJsonb(outcomes))) {
      const known = tables.outcomes.get(id);
      if (known?.disposition === 'recorded') continue;
      const announced = known ?? { id, table, jobId, kind, failedAt: inMicroseconds(failedAt), signalledAt: now() };
      tables.outcomes.set(id, { ...announced, alertId, disposition, recordedAt: now() });
    }
  },
  rememberSuccesses: async (successes) => {
    for (const success of asStoredJsonb(successes)) {
      const row = `${success.signal.outcomeId} ${success.key}`;
      if (!tables.successes.has(row)) tables.successes.set(row, success);
    }
  },
  recentSuccesses: async (keys) => {
    const wanted = new Set(keys.map(cleanText));
    const found = tables.successes.rows().filter(({ key }) => wanted.has(key));
    return found
      .map((success) => ({
        success,
        order: [success.key, inMicroseconds(success.signal.finishedAt), success.signal.outcomeId] as const,
      }))
      .sort(
        (a, b) => compare(a.order[0], b.order[0]) || compare(a.order[1], b.order[1]) || compare(a.order[2], b.order[2]),
      )
      .map(({ success }) => success);
  },
});

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
