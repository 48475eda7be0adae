import type { AlertState } from './alert-state.ts';
import { refuse } from './decision.ts';
import type { Decision } from './decision.ts';
import type { Instant } from './ids.ts';
import type { JobRepairedSignal } from './signal.ts';

/** The janitor acted on a stuck job of the alert, or refrained. It is news; whether the job is stuck any more is not said by it. */
export const decideRepair = (state: AlertState, signal: JobRepairedSignal, now: Instant): Decision => {
  if (state.state === 'resolved') return refuse('the alert is already resolved');
  const { repairId, outcomeId, table, jobId, action, result, reason, restart, actedAt } = signal;
  if (state.repairs.includes(repairId)) return refuse('this repair is already recorded');
  return {
    events: [
      {
        type: 'JobRepaired',
        occurredAt: now,
        data: { repairId, outcomeId, table, jobId, action, result, reason, restart, actedAt },
      },
    ],
    reason:
      result === 'done' ? `the janitor did ${action}` : `the janitor skipped ${action}: ${reason ?? 'no reason given'}`,
  };
};
