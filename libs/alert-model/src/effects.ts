import type { AlertState } from './alert-state.ts';
import { nextEscalations } from './escalation.ts';
import type { AlertEvent, DigestPurpose, EventNamed } from './event.ts';
import { waitingOf } from './evolve-alert.ts';
import type { AlertId, DigestId, Instant } from './ids.ts';
import { later } from './instant.ts';
import { findTransition } from './machine.ts';
import { mayTell, newsToJoin } from './may-tell.ts';
import { settlesAt } from './next-action.ts';
import type { FrozenRoute, TimeWindow } from './policy.ts';

/** Work for the shell, as data. Live, it is done in the transaction that appends the event; replay drops it. */
export type Effect =
  | {
      readonly type: 'JoinDigest';
      readonly alertId: AlertId;
      readonly route: string;
      /** `joinDigests` may make another one of it: `urgent` in quiet hours, `storm` in a storm. */
      readonly purpose: DigestPurpose;
      readonly windowMs: number;
      readonly channels: readonly string[];
      readonly fallback: readonly string[];
      /** Source of the alert. */
      readonly source: string;
      /** The first occurrence of the alert is among the news. */
      readonly opened: boolean;
      /** The alert is over. */
      readonly resolved: boolean;
      /** Hours in which the route keeps quiet; empty for what is told whatever the hour. */
      readonly quietHours: readonly TimeWindow[];
      /** Its severity is told at once in quiet hours, too. */
      readonly breaksThrough: boolean;
      /** It was told on this route as part of a storm, and what became of it belongs there. */
      readonly ofStorm: boolean;
    }
  | {
      readonly type: 'ScheduleEscalation';
      readonly digestId: DigestId;
      readonly route: string;
      /** The step that is due then: levels from 1, then the repetitions. */
      readonly level: number;
      readonly at: Instant;
    }
  | { readonly type: 'ScheduleLapse'; readonly alertId: AlertId; readonly at: Instant }
  /** `decideSettle` at that time. */
  | { readonly type: 'ScheduleSettle'; readonly alertId: AlertId; readonly at: Instant };

/** What an alert asks for when it has news. */
export type JoinDigest = Extract<Effect, { type: 'JoinDigest' }>;

/**
 * What an event asks of the outside world.
 *
 * Where a decision has several events, only the last state knows whether its news may be told: the shell takes JoinDigest as
 * "look at this alert" and asks `joins` of that state. Escalations are the exception: their JoinDigest is the order itself.
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
        return event.type === 'AlertEscalated' ? escalate(after, event) : joins(after);
      case 'scheduleEscalation':
        return climb(before, event, after);
      case 'scheduleLapse':
        return event.type === 'AlertAcknowledged' && event.data.lease.until === 'time'
          ? [{ type: 'ScheduleLapse', alertId: after.id, at: event.data.lease.at }]
          : [];
      case 'scheduleSettling':
        return settle(before, event, after);
      default:
        return action satisfies never;
    }
  });
};

/**
 * Digests that the untold news of an alert should join now: none while somebody holds it or a silence mutes it, and only
 * some of it while it is flapping. How an alert that is over ended is told to those who know of it, whatever mutes it.
 */
export const joins = (state: AlertState): readonly JoinDigest[] => {
  if (!mayTell(state)) return [];
  return state.routes.flatMap((route): readonly JoinDigest[] => {
    const news = newsToJoin(state, route.name);
    if (news === undefined) return [];
    const join = joinOf(state, route, news.opened);
    if (news.lapse !== null) return [{ ...join, purpose: 'lapse', windowMs: 0, quietHours: [] }];
    return [news.opened && route.firstAtOnce ? { ...join, purpose: 'urgent', windowMs: 0 } : join];
  });
};

const joinOf = (state: AlertState, route: FrozenRoute, opened: boolean): JoinDigest => ({
  type: 'JoinDigest',
  alertId: state.id,
  route: route.name,
  purpose: 'window',
  windowMs: route.windowMs,
  channels: route.channels,
  fallback: route.fallback,
  source: state.source,
  opened,
  resolved: state.resolution !== null,
  quietHours: route.quietHours,
  breaksThrough: route.breakThrough.includes(state.severity),
  ofStorm:
    state.resolution?.reason !== 'operator' &&
    state.told.some((entry) => entry.route === route.name && entry.purpose === 'storm'),
});

/** Whoever an escalation is for is told at once, whatever the hour and however much else goes on. */
const escalate = (state: AlertState, { data }: EventNamed<'AlertEscalated'>): readonly Effect[] => {
  const route = state.routes.find(({ name }) => name === data.route);
  if (route === undefined) return [];
  return [
    {
      ...joinOf(state, route, false),
      purpose: 'escalation',
      windowMs: 0,
      channels: data.channels,
      quietHours: [],
      ofStorm: false,
    },
  ];
};

/**
 * The clock of an escalation starts at the provider's accept, or when somebody gives the alert back. The next step of a
 * route is set when its clock starts, when it has climbed one, and when what kept it from climbing is gone: then it may be
 * due already. A step set twice is decided on once.
 */
const climb = (before: AlertState | null, event: AlertEvent, after: AlertState): readonly Effect[] =>
  nextEscalations(after).flatMap(({ route, step, at }): readonly Effect[] => {
    if (!isToSet(before, event, after, route)) return [];
    const ofRoute = after.told.filter((entry) => entry.route === route);
    // Where the ladder leads back to the same channels, only escalations may be left of what they were told.
    const told = ofRoute.findLast(({ purpose }) => purpose !== 'escalation') ?? ofRoute.at(-1);
    if (told === undefined) return [];
    const due = later(at, event.occurredAt);
    return [{ type: 'ScheduleEscalation', digestId: told.digestId, route, level: step.step, at: due }];
  });

const isToSet = (before: AlertState | null, event: AlertEvent, after: AlertState, route: string): boolean => {
  if (before === null || after.unansweredSince !== before.unansweredSince) return true;
  // The clock was started by another route.
  if (event.type === 'AlertNotified')
    return event.data.route === route && !before.told.some((entry) => entry.route === route);
  if (event.type === 'AlertEscalated') return event.data.route === route;
  if (event.type === 'SeverityRaised') return stepOf(before, route) !== stepOf(after, route);
  if (event.type === 'FailureDetected') return before.flapping !== null && before.flapping.heldUntil !== null;
  return true;
};

const stepOf = (state: AlertState, name: string): number | null =>
  nextEscalations(state).find(({ route }) => route === name)?.step.step ?? null;

/** A flapping alert has to stay fine, or to stay broken, for so long: from its opening and whenever that changes. */
const settle = (before: AlertState | null, event: AlertEvent, after: AlertState): readonly Effect[] => {
  const { flapping } = after;
  if (flapping === null) return [];
  const isSame = before !== null && before.flapping?.heldUntil === flapping.heldUntil;
  return isSame
    ? []
    : [{ type: 'ScheduleSettle', alertId: after.id, at: later(settlesAt(flapping), event.occurredAt) }];
};
