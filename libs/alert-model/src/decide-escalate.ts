import type { AlertState } from './alert-state.ts';
import { refuse } from './decision.ts';
import type { Decision } from './decision.ts';
import { escalationStep, whyNotEscalated } from './escalation.ts';
import type { Instant } from './ids.ts';
import { addMs, isAfter } from './instant.ts';
import { ownValue } from './own-value.ts';

/**
 * Nobody acknowledged in time: the next step of the route's ladder is told. A level that is not for the severity the alert
 * has now is passed over, and the one after it may not be due yet.
 *
 * @param due.level the step whose time has come: levels from 1, then the repetitions
 */
export const decideEscalate = (
  state: AlertState,
  due: { readonly route: string; readonly level: number },
  now: Instant,
): Decision => {
  const why = whyNotEscalated(state);
  if (why !== null) return refuse(why);
  if ((ownValue(state.escalations, due.route)?.step ?? 0) >= due.level)
    return refuse(`level ${due.level} was told before`);
  const escalation = state.routes.find((route) => route.name === due.route)?.escalation ?? null;
  if (escalation === null) return refuse('its route has no escalation');
  if (state.unansweredSince === null) return refuse('it has not been told since somebody held it');
  const step = escalationStep(escalation, due.level, state.severity);
  if (step === null) return refuse(`there is nobody further to tell of an alert that is ${state.severity}`);
  const dueAt = addMs(state.unansweredSince, step.afterMs);
  if (isAfter(dueAt, now)) return refuse(`its clock runs until ${dueAt}`);
  return {
    events: [
      {
        type: 'AlertEscalated',
        occurredAt: now,
        data: {
          level: step.step,
          route: due.route,
          escalation: escalation.name,
          channels: [...step.channels],
          afterMs: step.afterMs,
          repeat: step.repeat,
        },
      },
    ],
    reason: 'nobody acknowledged in time',
  };
};
