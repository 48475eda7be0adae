import type { AlertId } from '@tocsin/alert-model';
import type { ServiceContext } from './service-context.ts';

/** Read models brought up to date by one transaction, and transactions of one run. */
const modelsPerPieceMax = 200;
const piecesMax = 10_000;

/**
 * Folds the read models of open alerts again that an older version of the model wrote, so that what is asked of their
 * columns is right: their next action, whether they are silenced. Called at the start; several processes may do so at
 * once. Answers how many it brought up to date.
 */
export const refreshModels = async (
  context: Pick<ServiceContext, 'store' | 'log'>,
  signal: AbortSignal = new AbortController().signal,
): Promise<number> => {
  let refreshed = 0;
  let first: AlertId | null = null;
  for (let piece = 0; piece < piecesMax && !signal.aborted; piece += 1) {
    const ids: readonly AlertId[] = await context.store.transaction('notifier.refresh', async (session) => {
      // Nobody writes to these alerts between the fold and the save.
      await session.lockLog();
      const stale = await session.alertsOfOlderModel(modelsPerPieceMax);
      // Loading folds what another version wrote.
      if (stale.length > 0) await session.saveAlerts(await session.loadAlerts(stale));
      return stale;
    });
    // One that is still there after it was saved would be there for ever.
    if (ids.length === 0 || ids[0] === first) break;
    first = ids[0] ?? null;
    refreshed += ids.length;
  }
  if (refreshed > 0)
    context.log.info(
      { decision: 'ModelsRefreshed', reason: 'an older version had folded them', alerts: refreshed },
      'read models folded again',
    );
  return refreshed;
};
