import { msBetween } from '@tocsin/alert-model';
import { asStoredJsonb, cleanText } from '../jsonb.ts';
import type { StoreSession } from '../store.ts';
import type { MemoryWork } from './memory-tables.ts';

type Repairs = Pick<
  StoreSession,
  'intendRepair' | 'settleRepair' | 'intendedRepairs' | 'settledRepairs' | 'recordRepairs' | 'restartsOf'
>;

/** The ledger of the janitor, in memory. Rows are kept in the order of their making, so there is nothing to sort. */
export const memoryRepairs = ({ tables, now }: MemoryWork): Repairs => ({
  intendRepair: async (repair) => {
    const { id, outcomeId, table, jobId, action, restart } = asStoredJsonb(repair);
    if (tables.repairs.has(id) || tables.repairs.rows().some((known) => known.outcomeId === outcomeId)) return false;
    tables.repairs.set(id, {
      id,
      outcomeId,
      table,
      jobId,
      action,
      restart,
      state: 'intended',
      reason: null,
      intendedAt: now(),
      settledAt: null,
      alertId: null,
    });
    return true;
  },
  settleRepair: async (id, state, reason) => {
    const repair = tables.repairs.get(id);
    if (repair?.state !== 'intended') return false;
    tables.repairs.set(id, {
      ...repair,
      state,
      reason: reason === null ? null : cleanText(reason),
      settledAt: now(),
    });
    return true;
  },
  intendedRepairs: async (table, olderThanMs, limit) =>
    tables.repairs
      .rows()
      .filter((repair) => repair.table === cleanText(table) && repair.state === 'intended')
      .filter(({ intendedAt }) => msBetween(intendedAt, now()) >= olderThanMs)
      .slice(0, limit)
      .map(({ id, outcomeId, table: of, jobId, action, restart }) => ({
        id,
        outcomeId,
        table: of,
        jobId,
        action,
        restart,
      })),
  settledRepairs: async (outcomeIds) => {
    const wanted = new Set<string>(outcomeIds);
    return tables.repairs
      .rows()
      .flatMap(({ state, intendedAt: _intendedAt, settledAt, ...repair }) =>
        wanted.has(repair.outcomeId) && state !== 'intended' && settledAt !== null
          ? [{ ...repair, result: state, settledAt }]
          : [],
      )
      .sort((a, b) => (a.outcomeId < b.outcomeId ? -1 : 1));
  },
  recordRepairs: async (repairs) => {
    for (const { id, alertId } of repairs) {
      const repair = tables.repairs.get(id);
      if (repair?.alertId === null) tables.repairs.set(id, { ...repair, alertId });
    }
  },
  restartsOf: async (table, jobIds) => {
    const wanted = new Set(jobIds.map(cleanText));
    const counted = tables.repairs
      .rows()
      .filter(
        (repair) =>
          repair.table === cleanText(table) &&
          wanted.has(repair.jobId) &&
          repair.action === 'requeue' &&
          repair.state !== 'skipped',
      );
    return new Map(
      [...Map.groupBy(counted, ({ jobId }) => jobId)].map(([jobId, repairs]) => {
        const times = repairs.map(({ intendedAt, settledAt }) => settledAt ?? intendedAt).sort();
        return [jobId, { restarts: repairs.length, lastAt: times.at(-1) ?? now() }];
      }),
    );
  },
});
