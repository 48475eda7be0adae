import { setTimeout as delay } from 'node:timers/promises';
import type { Bench, Finding } from '../bench.ts';
import { formatMegabytes } from '../measure/format.ts';
import { countOf, countStatements, logEnd } from '../measure/statement-log.ts';
import { productionSettings, startWorld } from '../world/world.ts';
import type { World } from '../world/world.ts';

/** The first canary, sent at the start and then once an hour, has been told and has ended by then. */
const settleMs = 75_000;
const watchedMs = 30_000;
const perSecondBudget = 2;
const connectionsBudget = 6;

/** What Tocsin costs while nothing happens. */
export const idle: Bench = {
  name: 'idle',
  summary: 'both workers with nothing to do for 30 s, poll 2 s; begin and commit count as statements',
  run: async (lab) => {
    const world = await startWorld(lab, { poll: '2s', window: '15m', settings: productionSettings });
    try {
      await delay(settleMs);
      const from = await logEnd(lab.serverLog);
      const committedBefore = await committed(world);
      const startedMs = performance.now();
      await delay(watchedMs);
      const seconds = (performance.now() - startedMs) / 1_000;
      const counts = await countStatements(lab.serverLog, from);
      const transactions = ((await committed(world)) - committedBefore) / seconds;
      const { detector, notifier } = await world.connections();
      const statements = (who: string): Finding => {
        const perSecond = countOf(counts, `tocsin-${who}`).statements / seconds;
        return {
          what: `${who}: statements per second`,
          result: perSecond.toFixed(2),
          budget: `<= ${perSecondBudget}`,
          kept: perSecond <= perSecondBudget,
        };
      };
      const connections = (who: string, count: number): Finding => ({
        what: `${who}: connections`,
        result: String(count),
        budget: `<= ${connectionsBudget}`,
        kept: count <= connectionsBudget,
      });
      return [
        statements('detector'),
        statements('notifier'),
        { what: 'both: transactions per second (pg_stat_database)', result: transactions.toFixed(2) },
        connections('detector', detector),
        connections('notifier', notifier),
        { what: 'detector: peak memory', result: formatMegabytes(world.detector.peakMemoryBytes()) },
        { what: 'notifier: peak memory', result: formatMegabytes(world.notifier.peakMemoryBytes()) },
      ];
    } finally {
      await world.stop();
    }
  },
};

/** Transactions committed in this database so far; the statistics lag behind by up to a second or so. */
const committed = async ({ database }: World): Promise<number> => {
  const { rows } = await database.pool.query<{ readonly count: number }>(
    'select xact_commit::double precision as count from pg_stat_database where datname = current_database()',
  );
  return rows[0]?.count ?? 0;
};
