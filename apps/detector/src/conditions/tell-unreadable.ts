import { addMs } from '@tocsin/alert-model';
import type { DetectorContext } from '../detector-ports.ts';
import type { TableState } from '../table-state.ts';
import { toConditionSignal } from './condition.ts';
import { unhealthy } from './judge-feed.ts';
import { sendConditions } from './send-conditions.ts';

/**
 * Tells that a table cannot be read, once, when that has lasted. Its jobs are caught up with when it can be read again.
 * Never throws: when Tocsin's own database is away as well, there is nobody to tell it to; the log and the heartbeat say it.
 *
 * @param atOnce do not wait, because there will be no next poll
 */
export const tellUnreadable = async (
  context: DetectorContext,
  { table, conditions }: TableState,
  problem: string,
  atOnce: boolean,
): Promise<void> => {
  const nowMs = context.monotonicMs();
  conditions.unreadableSinceMs ??= nowMs;
  const lastedMs = nowMs - conditions.unreadableSinceMs;
  if (conditions.unreadableTold || (!atOnce && lastedMs < context.unreadableAfterMs)) return;
  try {
    // The watched database cannot be asked for the time, so ours is.
    const now = await context.store.transaction('detector.now', (session) => session.now());
    const seen = unhealthy(table.name, 'unreadable', addMs(now, -lastedMs), problem, [
      'Until the table can be read again, nobody knows how its jobs are; what is missed is then told with its true times.',
    ]);
    const begun = [{ seen, signal: toConditionSignal(seen, table.name, now) }];
    await sendConditions(context, table.name, begun, [], now);
    conditions.unreadableTold = true;
    conditions.noneOpenSinceMs = null;
  } catch (error) {
    context.log.debug({ err: error, table: table.name }, 'that the table cannot be read could not be recorded either');
  }
};
