import type { AlertState, NextAction } from './alert-state.ts';
import { nextEscalations } from './escalation.ts';
import type { Instant } from './ids.ts';
import { addMs, compareInstants } from './instant.ts';
import { mayTell, newsToJoin } from './may-tell.ts';

/**
 * What happens to an alert next by itself, and when: the earliest of everything it waits for. Computed by the fold, which
 * hands in the time of the event, because news that should join a digest should do so at once.
 *
 * An action whose time has passed is under way (`digest`) or has been missed, which the second net looks for.
 *
 * @param state the alert; its `state` and `next` are not looked at
 * @param now when the last event of it happened
 */
export const nextActionOf = (state: Omit<AlertState, 'state' | 'next'>, now: Instant): NextAction => {
  let next: NextAction | null = null;
  const consider = (action: NextAction['action'], at: Instant): void => {
    if (next === null || next.at === null || compareInstants(at, next.at) < 0) next = { action, at };
  };
  for (const { dueAt } of Object.values(state.batches)) consider('digest', dueAt);
  if (joinsSomewhere(state)) consider('rejoin', now);
  if (state.resolution !== null) return next ?? over;
  for (const { at } of nextEscalations(state)) consider('escalate', at);
  const lease = state.acknowledgement?.lease;
  if (lease?.until === 'time') consider('lapse', lease.at);
  if (state.flapping !== null) consider('settle', settlesAt(state.flapping));
  for (const { end } of Object.values(state.silences)) if (end.until === 'time') consider('unsilence', end.at);
  return next ?? waits;
};

/** When a flapping alert has settled, if nothing changes: fine for its hold, or broken for it. */
export const settlesAt = ({ heldUntil, failingSince, holdMs }: NonNullable<AlertState['flapping']>): Instant =>
  heldUntil ?? addMs(failingSince, holdMs);

const joinsSomewhere = (state: Omit<AlertState, 'state' | 'next'>): boolean =>
  Object.keys(state.pending).some((route) => newsToJoin(state, route) !== undefined) && mayTell(state);

const over: NextAction = { action: 'none', at: null };
const waits: NextAction = { action: 'wait', at: null };
