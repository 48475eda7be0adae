import { decideSettle } from '@tocsin/alert-model';
import type { AlertId } from '@tocsin/alert-model';
import { logDecided } from './log-decided.ts';
import type { ServiceContext } from './service-context.ts';
import { beginWork } from './unit-of-work.ts';

/** A flapping alert may have stayed fine for its hold, and is resolved; or broken, and is told like any other again. */
export const settleFlapping = async (context: ServiceContext, alertId: AlertId): Promise<boolean> => {
  const decided = await context.store.transaction('notifier.settle_flapping', async (session) => {
    await session.lockLog();
    const now = await session.now();
    const work = beginWork(context, session, now);
    const states = await session.loadAlerts([alertId]);
    work.load(states);
    for (const state of states) work.apply(state.id, decideSettle(state, now));
    await work.flush();
    return work.decided;
  });
  logDecided(context, decided);
  return decided.some(({ decision }) => decision !== 'Refused');
};
