import { lookForVanished } from '@tocsin/job-sources';
import type { JobSource } from '@tocsin/job-sources';
import type { DetectorContext } from './detector-ports.ts';
import { alertsPerPageMax, keepNews, sendSuccesses, stepsOf, workOf } from './look-for-successes.ts';
import type { News } from './look-for-successes.ts';
import type { TableState } from './table-state.ts';

/** Work followed at once in a table that deletes the rows of successes; alerts beyond wait until some are resolved. */
const worksMax = 1_000;

/**
 * The look for successes where a table deletes their rows: a job of the same work that was seen after the failure, did not
 * fail and is gone, has succeeded. A job that came and went between two looks is not seen.
 *
 * @returns how many signals were sent
 */
export const lookForVanishedWork = async (
  context: DetectorContext,
  state: TableState,
  source: JobSource,
): Promise<number> => {
  if (!source.deletesSuccesses) return 0;
  // All of them at each look: work that is left out is forgotten.
  const alerts = await context.store.transaction('detector.watch', (session) =>
    session.watchedAlerts(null, alertsPerPageMax),
  );
  const steps = [...stepsOf(alerts)].slice(0, worksMax);
  const { memory, successes } = await lookForVanished(state.table.pool, source, state.vanished, steps.map(workOf));
  const news: News = new Map();
  keepNews(context, state, steps, successes, news);
  const sent = await sendSuccesses(context, state, source, news);
  // Only now: what could not be sent is looked for again.
  state.vanished = memory;
  return sent;
};
