import type { AlertState } from './alert-state.ts';
import { recovered } from './decide-settle.ts';
import { refuse } from './decision.ts';
import type { Decision } from './decision.ts';
import type { AlertEvent } from './event.ts';
import { evolveAlert } from './evolve-alert.ts';
import type { Instant } from './ids.ts';
import { ownValue } from './own-value.ts';
import { recoveryOf } from './recovery.ts';
import type { ConditionEndedSignal } from './signal.ts';

/**
 * A condition that is an occurrence of the alert holds no more. Resolves the alert when nothing else holds and nothing is
 * owed; a condition that ended badly leaves its work owing a success. A flapping alert must stay fine for its hold first.
 */
export const decideRetraction = (state: AlertState, signal: ConditionEndedSignal, now: Instant): Decision => {
  if (state.state === 'resolved') return refuse('the alert is already resolved');
  const { outcomeId, cause, note, endedAt } = signal;
  const suspicion = ownValue(state.suspicions, outcomeId);
  if (suspicion === undefined) return refuse('no condition of that name holds in this alert');
  const { kind, jobId } = suspicion;
  const retracted: AlertEvent = {
    type: 'FailureRetracted',
    occurredAt: now,
    data: { outcomeId, kind, jobId, cause, note, endedAt },
  };
  const after = evolveAlert(state, retracted);
  const recovery = recoveryOf(after);
  if (recovery === null) return { events: [retracted], reason: `no longer ${kind}: ${note ?? cause}` };
  // Where failures were owed too, it was not this note that made them good.
  const why = Object.keys(after.owed).length === 0 ? note : null;
  return { events: [retracted, recovered(after, recovery, why, now)], reason: recovery.reason };
};
