import type { OutcomeId } from '@tocsin/alert-model';
import { inMicroseconds } from '../instant.ts';
import { asStoredJsonb, cleanText } from '../jsonb.ts';
import { inOrderOfAnnouncing } from '../postgres/announce-outcomes.ts';
import { oncePerCondition } from '../postgres/end-conditions.ts';
import type { StoreSession } from '../store.ts';
import type { MemoryWork } from './memory-tables.ts';

type Conditions = Pick<
  StoreSession,
  'announceOutcomes' | 'openConditions' | 'endConditions' | 'endedConditions' | 'alertsOfOutcomes'
>;

/** Outcomes as the detector sees them, and the conditions among them, in memory. */
export const memoryConditions = ({ tables, now }: MemoryWork): Conditions => ({
  announceOutcomes: async (outcomes) => {
    const added = new Set<OutcomeId>();
    for (const { id, table, jobId, kind, failedAt, subject } of inOrderOfAnnouncing(asStoredJsonb(outcomes))) {
      const open = JSON.stringify([table, kind, jobId]);
      if (tables.outcomes.has(id) || (subject !== undefined && (tables.openConditions.get(open) ?? null) !== null))
        continue;
      const announced = { id, table, jobId, kind, failedAt: inMicroseconds(failedAt), signalledAt: now() };
      tables.outcomes.set(id, { ...announced, alertId: null, disposition: null, recordedAt: null });
      if (subject !== undefined) {
        tables.openConditions.set(open, id);
        tables.conditions.set(id, { open, subject, end: null });
      }
      added.add(id);
    }
    return added;
  },
  openConditions: async (table, limit) =>
    tables.outcomes
      .rows()
      .flatMap((outcome) => {
        const condition = tables.conditions.get(outcome.id);
        if (outcome.table !== cleanText(table) || condition === undefined || condition.end !== null) return [];
        const { id, kind, jobId, failedAt } = outcome;
        return [{ id, kind, jobId, failedAt, subject: condition.subject }];
      })
      .sort((a, b) => compare(a.failedAt, b.failedAt) || compare(a.id, b.id))
      .slice(0, limit),
  endConditions: async (ends) => {
    const ended = new Set<OutcomeId>();
    for (const end of oncePerCondition(asStoredJsonb(ends))) {
      const condition = tables.conditions.get(end.id);
      if (condition === undefined || condition.end !== null) continue;
      tables.conditions.set(end.id, { ...condition, end: { ...end, endedAt: inMicroseconds(end.endedAt) } });
      tables.openConditions.set(condition.open, null);
      ended.add(end.id);
    }
    return ended;
  },
  endedConditions: async (ids) =>
    [...new Set(ids)].sort(compare).flatMap((id) => {
      const end = tables.conditions.get(id)?.end ?? null;
      const outcome = tables.outcomes.get(id);
      if (end === null || outcome === undefined) return [];
      const { table, kind, jobId } = outcome;
      return [{ ...end, table, kind, jobId }];
    }),
  alertsOfOutcomes: async (ids) =>
    new Map(
      ids.flatMap((id) => {
        const alertId = tables.outcomes.get(id)?.alertId ?? null;
        return alertId === null ? [] : [[id, alertId] as const];
      }),
    ),
});

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
