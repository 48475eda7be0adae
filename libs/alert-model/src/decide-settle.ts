import type { AlertState } from './alert-state.ts';
import { refuse } from './decision.ts';
import type { Decision } from './decision.ts';
import type { AlertEvent } from './event.ts';
import type { Instant } from './ids.ts';
import { addMs, isAfter } from './instant.ts';
import { settlesAt } from './next-action.ts';
import { recoveryOf } from './recovery.ts';
import type { Recovery } from './recovery.ts';

/**
 * A flapping alert may have settled: it is resolved when it has stayed fine for its hold, and is told like any other alert
 * from now on when it has stayed broken for it.
 */
export const decideSettle = (state: AlertState, now: Instant): Decision => {
  const { flapping } = state;
  if (state.state === 'resolved') return refuse('the alert is already resolved');
  if (flapping === null) return refuse('it is not flapping');
  const at = settlesAt(flapping);
  if (isAfter(at, now)) return refuse(`it has settled at ${at} if nothing changes until then`);
  const recovery = recoveryOf(state);
  if (recovery !== null) return { events: [resolved(recovery, null, now)], reason: 'it has stayed fine' };
  return {
    events: [{ type: 'FlappingEnded', occurredAt: now, data: { since: flapping.failingSince } }],
    reason: 'it has stayed broken',
  };
};

/**
 * What a recovery comes to: the resolution, or for a flapping alert the time until which it must stay fine first.
 *
 * @param state when everything before it is folded
 * @param note why, in plain words
 */
export const recovered = (state: AlertState, recovery: Recovery, note: string | null, now: Instant): AlertEvent =>
  state.flapping === null
    ? resolved(recovery, note, now)
    : { type: 'ResolutionHeld', occurredAt: now, data: { until: addMs(now, state.flapping.holdMs) } };

const resolved = (recovery: Recovery, note: string | null, now: Instant): AlertEvent => ({
  type: 'AlertResolved',
  occurredAt: now,
  data: { ...recovery, by: null, note },
});
