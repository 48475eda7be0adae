import { developmentsMax, runsMax } from './alert-state.ts';
import type { AlertState, Batch, Development, LifecycleState } from './alert-state.ts';
import { addCause, addFailure, emptyBatch, oneFailure } from './batch.ts';
import { burden, newestRuns, oweOne, without } from './burden.ts';
import { atFootOfLadder, climbed } from './climb-ladder.ts';
import type { AlertEvent, EventNamed } from './event.ts';
import {
  alertBatched,
  alertNotified,
  notificationBounced,
  notificationFailed,
  tellResolution,
  union,
  withoutRepeats,
} from './evolve-deliveries.ts';
import { alertSilenced, alertUnsilenced } from './evolve-silences.ts';
import { earlier, isAfter, later } from './instant.ts';
import { InvariantError } from './invariant-error.ts';
import { requireTransition } from './machine.ts';
import type { Waiting } from './machine.ts';
import { nextActionOf } from './next-action.ts';
import { ownValue } from './own-value.ts';
import { recoveryOf } from './recovery.ts';
import { isCondition, stepIn, stepName } from './signal.ts';
import type { EndCause } from './signal.ts';
import { tellRoutes } from './tell-routes.ts';

/**
 * Folds one event into an alert. The only way state comes about, live and on replay.
 *
 * @param state null before the first event
 * @throws InvariantError when the event cannot follow in this state: the log is damaged or a decision has a bug
 */
export const evolveAlert = (state: AlertState | null, event: AlertEvent): AlertState => {
  if (state === null) {
    if (event.type !== 'FailureDetected')
      throw new InvariantError(`${event.type} cannot be the first event of an alert.`);
    return enter(null, begin(event), event);
  }
  return enter(state.state, { ...fold(state, event), version: state.version + 1 }, event);
};

/** Where the untold news of an alert is; decides the state together with the machine. */
export const waitingOf = (state: AlertState): Waiting => {
  if (Object.keys(state.pending).length > 0) return 'pending';
  return Object.values(state.batches).some((entry) => entry.purpose !== 'escalation') ? 'batched' : 'none';
};

const enter = (from: LifecycleState | null, folded: AlertState, event: AlertEvent): AlertState => {
  const { to } = requireTransition(from ?? 'absent', event.type, waitingOf(folded));
  return { ...folded, state: to, next: nextActionOf(folded, event.occurredAt) };
};

const begin = (event: EventNamed<'FailureDetected'>): AlertState => {
  const { data } = event;
  if (data.opening === null)
    throw new InvariantError(`The first FailureDetected of alert ${data.alertId} has no opening.`);
  const { title, rule, chain, routes, predecessor, flapping } = data.opening;
  const state: AlertState = {
    id: data.alertId,
    key: data.key,
    state: 'detected',
    version: 0,
    severity: data.severity,
    source: data.source,
    jobType: data.jobType,
    targetId: data.targetId,
    title,
    rule,
    chain,
    routes,
    predecessor,
    openedAt: event.occurredAt,
    firstFailedAt: data.failedAt,
    lastFailedAt: data.failedAt,
    lastRun: data.run,
    missing: data.missing,
    lastGreenAt: data.lastGreenAt,
    occurrences: 0,
    conditions: {},
    causes: [],
    otherCauses: 0,
    owed: {},
    owedUntracked: 0,
    suspicions: {},
    lastRetraction: null,
    repairs: [],
    failedRuns: [],
    successes: {},
    pending: {},
    batches: {},
    told: [],
    notifiedAt: null,
    unansweredSince: null,
    acknowledgement: null,
    escalationLevel: 0,
    escalations: {},
    silences: {},
    flapping: flapping === null ? null : { ...flapping, failingSince: data.failedAt, heldUntil: null },
    openedFlapping: flapping,
    bounces: 0,
    next: { action: 'wait', at: null },
    escalatedAt: null,
    failedDeliveries: 0,
    resolution: null,
    resolutionToldTo: [],
  };
  return { ...failureDetected(state, event, { ...emptyBatch, opened: true }), version: 1 };
};

const fold = (state: AlertState, event: AlertEvent): AlertState => {
  switch (event.type) {
    case 'FailureDetected':
      return failureDetected(state, event, emptyBatch);
    case 'SuccessDetected':
      return successDetected(state, event);
    case 'SeverityRaised':
      return severityRaised(state, event);
    case 'AlertBatched':
      return alertBatched(state, event);
    case 'AlertNotified':
      return alertNotified(state, event);
    case 'NotificationFailed':
      return notificationFailed(state, event);
    case 'AlertEscalated': {
      const { route, level } = event.data;
      const step = { step: level, at: event.occurredAt };
      return { ...state, ...climbed({ ...state.escalations, [route]: step }), escalatedAt: event.occurredAt };
    }
    case 'AlertAcknowledged': {
      const { by, via, lease, note } = event.data;
      const signatures = state.causes.map((cause) => cause.signature);
      const acknowledgement = { by, via, at: event.occurredAt, lease, signatures, note, failures: 0 };
      // The ladder starts anew, from its first step, when this lease ends.
      return { ...state, acknowledgement, ...atFootOfLadder, unansweredSince: null };
    }
    case 'AlertUnacknowledged':
      return {
        ...state,
        acknowledgement: null,
        ...atFootOfLadder,
        unansweredSince: state.told.length > 0 ? event.occurredAt : null,
      };
    case 'AcknowledgementLapsed': {
      const { by, acknowledgedAt, reason } = event.data;
      const lapse = { by, acknowledgedAt, reason };
      return tellRoutes({ ...state, acknowledgement: null, ...atFootOfLadder }, { ...emptyBatch, lapse });
    }
    case 'AlertSilenced':
      return alertSilenced(state, event);
    case 'AlertUnsilenced':
      return alertUnsilenced(state, event);
    case 'ResolutionHeld':
      return state.flapping === null
        ? state
        : { ...state, flapping: { ...state.flapping, heldUntil: event.data.until } };
    case 'FlappingEnded':
      return tellRoutes({ ...state, flapping: null }, { ...emptyBatch, settled: true });
    case 'NotificationBounced':
      return notificationBounced(state, event);
    case 'FailureRetracted':
      return failureRetracted(state, event);
    case 'JobRepaired':
      return jobRepaired(state, event);
    case 'AlertResolved': {
      const { reason, resolvedAt, by, note } = event.data;
      return tellResolution({ ...state, resolution: { reason, resolvedAt, by, note } });
    }
    case 'ResolutionNotified': {
      const { digestId, route, channel } = event.data;
      return withoutRepeats({
        ...state,
        batches: without(state.batches, digestId),
        resolutionToldTo: union(state.resolutionToldTo, `${route} ${channel}`),
      });
    }
    default:
      return event satisfies never;
  }
};

const failureDetected = (state: AlertState, event: EventNamed<'FailureDetected'>, base: Batch): AlertState => {
  const { data } = event;
  const version = state.version + 1;
  const news = addFailure(base, { signature: data.signature, version, failedAt: data.failedAt });
  const latest = !isAfter(state.lastFailedAt, data.failedAt);
  const { acknowledgement, flapping } = state;
  return tellRoutes(
    {
      ...state,
      ...addCause(state, oneFailure({ signature: data.signature, version, failedAt: data.failedAt })),
      ...burden(state, event),
      acknowledgement: acknowledgement === null ? null : { ...acknowledgement, failures: acknowledgement.failures + 1 },
      flapping:
        flapping === null || flapping.heldUntil === null
          ? flapping
          : { ...flapping, failingSince: data.failedAt, heldUntil: null },
      occurrences: state.occurrences + 1,
      conditions: isCondition(data.kind)
        ? { ...state.conditions, [data.kind]: (state.conditions[data.kind] ?? 0) + 1 }
        : state.conditions,
      firstFailedAt: earlier(state.firstFailedAt, data.failedAt),
      lastFailedAt: later(state.lastFailedAt, data.failedAt),
      lastRun: latest ? data.run : state.lastRun,
      missing: latest ? data.missing : state.missing,
      lastGreenAt: latest ? data.lastGreenAt : state.lastGreenAt,
      failedRuns:
        data.run === null || isCondition(data.kind)
          ? state.failedRuns
          : union(state.failedRuns, data.run).slice(-runsMax),
    },
    news,
  );
};

const failureRetracted = (state: AlertState, event: EventNamed<'FailureRetracted'>): AlertState => {
  const { outcomeId, kind, jobId, cause, note, endedAt } = event.data;
  const suspicion = ownValue(state.suspicions, outcomeId);
  if (suspicion === undefined)
    throw new InvariantError(`Alert ${state.id} has no condition ${outcomeId} that could be retracted.`);
  const rest = { ...state, suspicions: without(state.suspicions, outcomeId) };
  const { lastRetraction } = state;
  const retracted: AlertState =
    cause === 'ended'
      ? { ...rest, ...oweOne(rest, suspicion) }
      : lastRetraction === null || comesLater({ cause, endedAt }, lastRetraction)
        ? { ...rest, lastRetraction: { cause, endedAt } }
        : rest;
  // What ends the alert is told by its resolution; what ended badly by the failure that follows, or by the janitor.
  if (cause === 'ended' || recoveryOf(retracted) !== null) return retracted;
  return tellRoutes(
    retracted,
    develop({ what: 'retracted', jobId, kind, at: endedAt, detail: note ?? endings[cause] }),
  );
};

/** Of two that ended at the same instant one is remembered, in whatever order they were heard of: rather the success. */
const comesLater = (a: Retraction, b: Retraction): boolean =>
  isAfter(a.endedAt, b.endedAt) ||
  (!isAfter(b.endedAt, a.endedAt) && causeOrder.indexOf(a.cause) < causeOrder.indexOf(b.cause));

const causeOrder: readonly EndCause[] = ['succeeded', 'alive', 'canceled', 'vanished'];

type Retraction = NonNullable<AlertState['lastRetraction']>;

const endings: Readonly<Record<Exclude<EndCause, 'ended'>, string>> = {
  alive: 'it goes on',
  succeeded: 'it succeeded after all',
  canceled: 'it was canceled',
  vanished: 'its row is gone',
};

const jobRepaired = (state: AlertState, event: EventNamed<'JobRepaired'>): AlertState => {
  const { repairId, outcomeId, jobId, action, result, reason, restart, actedAt } = event.data;
  const what = result === 'skipped' ? 'repair-skipped' : action === 'requeue' ? 'requeued' : 'marked-dead';
  const kind = ownValue(state.suspicions, outcomeId)?.kind ?? 'stuck';
  const detail = reason ?? (restart === null ? null : `restart ${restart}`);
  return tellRoutes(
    { ...state, repairs: [...state.repairs, repairId].slice(-developmentsMax) },
    develop({ what, jobId, kind, at: actedAt, detail }),
  );
};

const develop = (development: Development): Batch => ({ ...emptyBatch, developments: [development] });

const successDetected = (state: AlertState, event: EventNamed<'SuccessDetected'>): AlertState => {
  const run = event.data.run ?? '';
  const name = stepName(stepIn(state.chain?.steps ?? null, event.data));
  const ofRun = ownValue(state.successes, run) ?? {};
  const known = ownValue(ofRun, name);
  const finishedAt = known === undefined ? event.data.finishedAt : later(known, event.data.finishedAt);
  const successes = { ...state.successes, [run]: { ...ofRun, [name]: finishedAt } };
  return { ...state, successes: newestRuns(successes) };
};

const severityRaised = (state: AlertState, { data }: EventNamed<'SeverityRaised'>): AlertState => {
  const pending: Record<string, Batch> = { ...state.pending };
  // It is no news of its own: it says of the failure that brought it that it is worse than what people know.
  for (const [route, news] of Object.entries(state.pending))
    if (news.severityBefore === null && state.told.some((entry) => entry.route === route))
      pending[route] = { ...news, severityBefore: data.from };
  return { ...state, severity: data.to, pending };
};
