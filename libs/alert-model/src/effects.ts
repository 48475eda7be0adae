import { batchesMax } from './alert-state.ts';
import type { AlertState } from './alert-state.ts';
import type { AlertEvent, DigestPurpose } from './event.ts';
import { waitingOf } from './evolve-alert.ts';
import type { AlertId, DigestId, Instant } from './ids.ts';
import { addMs } from './instant.ts';
import { findTransition } from './machine.ts';

/** Work for the shell, as data. Live, it is done in the transaction that appends the event; replay drops it. */
export type Effect =
  | {
      readonly type: 'JoinDigest';
      readonly alertId: AlertId;
      readonly route: string;
      readonly purpose: DigestPurpose;
      readonly windowMs: number;
      readonly channels: readonly string[];
      readonly fallback: readonly string[];
    }
  | {
      readonly type: 'ScheduleEscalation';
      readonly digestId: DigestId;
      readonly route: string;
      readonly level: number;
      readonly at: Instant;
    }
  | { readonly type: 'ScheduleLapse'; readonly alertId: AlertId; readonly at: Instant };

/** The one escalation level there is today. */
export const escalationLevels = 1;

/**
 * What an event asks of the outside world.
 *
 * @param before state before the event, null for the first
 * @param event the event
 * @param after state after it
 */
export const effectsOf = (before: AlertState | null, event: AlertEvent, after: AlertState): readonly Effect[] => {
  const arrow = findTransition(before?.state ?? 'absent', event.type, waitingOf(after));
  return (arrow?.actions ?? []).flatMap((action): readonly Effect[] => {
    switch (action) {
      case 'joinDigest':
        return event.type === 'AlertEscalated' ? escalate(after, event.data.route) : joins(after);
      case 'scheduleEscalation':
        return event.type === 'AlertNotified' || event.type === 'AlertUnacknowledged' ? climb(before, after) : [];
      case 'scheduleLapse':
        return event.type === 'AlertAcknowledged' && event.data.lease.until === 'time'
          ? [{ type: 'ScheduleLapse', alertId: after.id, at: event.data.lease.at }]
          : [];
      default:
        return action satisfies never;
    }
  });
};

/** Digests that the untold news of an alert should join now; none while somebody holds the alert. */
export const joins = (state: AlertState): readonly Effect[] => {
  if (state.state === 'acknowledged' || Object.keys(state.batches).length >= batchesMax) return [];
  return state.routes.flatMap((route): readonly Effect[] => {
    const news = state.pending[route.name];
    if (news === undefined) return [];
    const { name, channels, fallback, windowMs } = route;
    const lapsed = news.lapse !== null;
    return [
      {
        type: 'JoinDigest',
        alertId: state.id,
        route: name,
        purpose: lapsed ? 'lapse' : 'window',
        windowMs: lapsed ? 0 : windowMs,
        channels,
        fallback,
      },
    ];
  });
};

const escalate = (state: AlertState, routeName: string): readonly Effect[] => {
  const route = state.routes.find(({ name }) => name === routeName);
  if (route?.escalation == null) return [];
  const { channels } = route.escalation;
  return [
    {
      type: 'JoinDigest',
      alertId: state.id,
      route: routeName,
      purpose: 'escalation',
      windowMs: 0,
      channels,
      fallback: route.fallback,
    },
  ];
};

/**
 * The clock of an escalation starts at the provider's accept, or when somebody gives the alert back; it is set once per
 * start, for the digest that told last on each route.
 */
const climb = (before: AlertState | null, after: AlertState): readonly Effect[] => {
  const { unansweredSince, escalationLevel } = after;
  if (unansweredSince === null || unansweredSince === before?.unansweredSince || escalationLevel >= escalationLevels)
    return [];
  return after.routes.flatMap(({ name, escalation }): readonly Effect[] => {
    const told = after.told.findLast((entry) => entry.route === name && entry.purpose !== 'escalation');
    if (escalation === null || told === undefined) return [];
    const at = addMs(unansweredSince, escalation.afterMs);
    return [{ type: 'ScheduleEscalation', digestId: told.digestId, route: name, level: escalationLevel + 1, at }];
  });
};
