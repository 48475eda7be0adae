import { randomUUID } from 'node:crypto';
import {
  DigestId,
  alertStream,
  digestStream,
  effectsOf,
  evolveAlert,
  evolveDigest,
  isAfter,
  joinDigests,
  joins,
} from '@tocsin/alert-model';
import type {
  AlertEvent,
  AlertId,
  AlertState,
  Decision,
  DigestEvent,
  DigestState,
  Effect,
  Instant,
  Severity,
} from '@tocsin/alert-model';
import type { Append } from '@tocsin/event-store';
import { v5 as uuidv5 } from 'uuid';
import { jobNamespace } from './job-namespace.ts';
import { judgeStorms } from './judge-storms.ts';
import type { SourceSuccesses } from './judge-storms.ts';
import type { ServiceContext, Session, TocsinEnqueue } from './service-context.ts';

type Join = Extract<Effect, { type: 'JoinDigest' }>;

/** One line of what was decided, for the log; written after the commit. */
export interface Decided {
  /** The event's type, or `Refused` when nothing came of a command. */
  readonly decision: string;
  readonly reason: string;
  readonly alertId: string;
  readonly key: string;
  readonly state: string;
  readonly severity: Severity | null;
  /** Of the stream, after the event: 1 opens an alert. null when nothing came of it. */
  readonly version: number | null;
}

/**
 * Collects decisions about alerts and writes them as one: events, read models, digests joined, timers. The only place
 * where events are appended and jobs enqueued, always in the transaction of the session.
 */
export interface UnitOfWork {
  /** The state of an alert as decided so far. */
  readonly stateOf: (id: AlertId) => AlertState | undefined;
  /** Makes loaded alerts known. */
  readonly load: (states: readonly AlertState[]) => void;
  /** Takes over a decision. Answers the new state, or null when the decision had no events. */
  readonly apply: (id: AlertId, decision: Decision) => AlertState | null;
  /** Asks for news that sits in no digest to be put into one. */
  readonly rejoin: (state: AlertState) => void;
  readonly applyDigest: (state: DigestState | null, events: readonly DigestEvent[]) => DigestState;
  readonly enqueue: (...jobs: readonly TocsinEnqueue[]) => void;
  /** Writes what was collected since the last flush. */
  readonly flush: () => Promise<void>;
  /** Everything decided, for the log. */
  readonly decided: readonly Decided[];
}

interface Touched {
  readonly expectedVersion: number;
  readonly events: AlertEvent[];
}

/** What a unit of work needs of the service. */
export type WorkContext = Pick<ServiceContext, 'queue' | 'policy'>;

/**
 * Begins a unit of work. The caller holds the lock of the log.
 *
 * @param successes how many jobs of a source succeeded lately, where that is known; for judging what share of it fails
 */
export const beginWork = (
  context: WorkContext,
  session: Session,
  now: Instant,
  successes: SourceSuccesses = new Map(),
): UnitOfWork => {
  const alerts = new Map<AlertId, AlertState>();
  const decided: Decided[] = [];
  let touched = new Map<AlertId, Touched>();
  let joining = new Set<AlertId>();
  let escalating: Join[] = [];
  let jobs: TocsinEnqueue[] = [];
  let digestAppends: Append[] = [];
  let digests = new Map<string, DigestState>();
  let openDigests: DigestState[] | null = null;
  /** Sources of alerts opened since the last flush, which no statement can count yet. */
  let opening: string[] = [];

  const take = (state: AlertState | null, id: AlertId, event: AlertEvent, reason: string, after: AlertState): void => {
    alerts.set(id, after);
    const known = touched.get(id);
    if (known === undefined) touched.set(id, { expectedVersion: after.version - 1, events: [event] });
    else known.events.push(event);
    if (state === null) opening.push(after.source);
    for (const effect of effectsOf(state, event, after)) plan(effect);
    if (after.state === 'resolved' && state !== null && state.state !== 'resolved') jobs.push(...lookAtSilences(state));
    decided.push({
      decision: event.type,
      reason,
      alertId: id,
      key: after.key,
      state: after.state,
      severity: after.severity,
      version: after.version,
    });
  };

  const plan = (effect: Effect): void => {
    switch (effect.type) {
      case 'JoinDigest':
        if (effect.purpose === 'escalation') escalating.push(effect);
        else joining.add(effect.alertId);
        return;
      case 'ScheduleEscalation': {
        const { digestId, route, level, at } = effect;
        jobs.push({
          queue: 'timers',
          data: { timer: 'escalation', digestId, route, level },
          startAfter: at,
          id: uuidv5(`escalation ${digestId} ${route} ${level} ${at}`, jobNamespace),
        });
        return;
      }
      case 'ScheduleLapse':
        jobs.push({ queue: 'timers', data: { timer: 'lapse', alertId: effect.alertId }, startAfter: effect.at });
        return;
      case 'ScheduleSettle': {
        const { alertId, at } = effect;
        jobs.push({
          queue: 'timers',
          data: { timer: 'settle', alertId },
          startAfter: at,
          id: uuidv5(`settle ${alertId} ${at}`, jobNamespace),
        });
        return;
      }
      default:
        effect satisfies never;
    }
  };

  const applyDigest = (state: DigestState | null, events: readonly DigestEvent[]): DigestState => {
    let after = state;
    for (const event of events) after = evolveDigest(after, event);
    if (after === null) throw new TypeError('A digest needs at least one event.');
    digestAppends.push({ streamId: digestStream(after.id), expectedVersion: state?.version ?? 0, events });
    digests.set(after.id, after);
    return after;
  };

  const join = async (): Promise<void> => {
    const wanted = [...joining].flatMap((id) => {
      const state = alerts.get(id);
      return state === undefined ? [] : joins(state);
    });
    const all = [...wanted.filter((effect): effect is Join => effect.type === 'JoinDigest'), ...escalating];
    if (all.length === 0) return;
    openDigests ??= [...(await session.loadOpenDigests())];
    const { hours } = context.policy;
    const storms = await judgeStorms(context.policy, session, now, { joins: all, opening, successes });
    const { batched, opened } = joinDigests(all, openDigests, () => DigestId.parse(randomUUID()), now, {
      hours,
      storms,
    });
    for (const event of opened) {
      openDigests.push(applyDigest(null, [event]));
      jobs.push(sealJob(event.data.digestId, event.data.dueAt, now));
    }
    for (const { alertId, event } of batched) {
      const state = alerts.get(alertId);
      if (state !== undefined)
        take(state, alertId, event, 'news joins the digest of its route', evolveAlert(state, event));
    }
  };

  return {
    decided,
    stateOf: (id) => alerts.get(id),
    load: (states) => {
      for (const state of states) alerts.set(state.id, state);
    },
    apply: (id, decision) => {
      const state = alerts.get(id) ?? null;
      if ('refused' in decision) {
        decided.push({
          decision: 'Refused',
          reason: decision.refused,
          alertId: id,
          key: state?.key ?? '',
          state: state?.state ?? 'absent',
          severity: state?.severity ?? null,
          version: null,
        });
        return null;
      }
      // Folded first, taken over only when all of it folds: a decision that does not fit leaves no trace.
      let last = state;
      const folded = decision.events.map((event) => ({
        before: last,
        event,
        after: (last = evolveAlert(last, event)),
      }));
      for (const { before, event, after } of folded) take(before, id, event, decision.reason, after);
      return last;
    },
    rejoin: (state) => {
      alerts.set(state.id, state);
      joining.add(state.id);
    },
    applyDigest,
    enqueue: (...more) => {
      jobs.push(...more);
    },
    flush: async () => {
      await join();
      await session.appendEvents([
        ...[...touched].map(([id, { expectedVersion, events }]) => ({
          streamId: alertStream(id),
          expectedVersion,
          events,
        })),
        ...mergeAppends(digestAppends),
      ]);
      // Resolved ones first: they free the key that a new alert of the same batch may take.
      const states = [...touched.keys()].flatMap((id) => alerts.get(id) ?? []);
      await session.saveAlerts(states.filter((state) => state.state === 'resolved'));
      await session.saveAlerts(states.filter((state) => state.state !== 'resolved'));
      await session.saveDigests([...digests.values()]);
      await context.queue.enqueue(session.tx, distinctJobs(jobs));
      opening = [];
      touched = new Map();
      joining = new Set();
      escalating = [];
      jobs = [];
      digestAppends = [];
      digests = new Map();
    },
  };
};

/** The job that seals a digest: at once through the queue that wakes its workers, later through a timer. */
const sealJob = (digestId: DigestId, dueAt: Instant, now: Instant): TocsinEnqueue =>
  isAfter(dueAt, now)
    ? { queue: 'timers', data: { timer: 'digest', digestId }, startAfter: dueAt }
    : { queue: 'deliveries', data: { task: 'seal', digestId } };

/** A silence that ends with the resolution of its alerts may have lost the last of them. */
const lookAtSilences = (state: AlertState): readonly TocsinEnqueue[] =>
  Object.entries(state.silences).flatMap(([silenceId, { end }]) =>
    end.until === 'resolved'
      ? [
          {
            queue: 'timers',
            data: { timer: 'silence', silenceId },
            id: uuidv5(`silence ${silenceId} ${state.id}`, jobNamespace),
          },
        ]
      : [],
  );

/** Every alert of a digest asks for the same timer. */
const distinctJobs = (jobs: readonly TocsinEnqueue[]): readonly TocsinEnqueue[] => {
  const ids = new Set<string>();
  return jobs.filter(({ id }) => {
    if (id === undefined) return true;
    if (ids.has(id)) return false;
    ids.add(id);
    return true;
  });
};

/** Appends to the same stream become one. */
const mergeAppends = (appends: readonly Append[]): readonly Append[] => {
  const merged = new Map<string, Append>();
  for (const append of appends) {
    const known = merged.get(append.streamId);
    merged.set(
      append.streamId,
      known === undefined ? append : { ...known, events: [...known.events, ...append.events] },
    );
  }
  return [...merged.values()];
};
