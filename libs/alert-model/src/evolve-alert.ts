import { developmentsMax, runsMax } from './alert-state.ts';
import type { AlertState, Batch, Development, LifecycleState } from './alert-state.ts';
import { addCause, addFailure, emptyBatch, mergeBatches } from './batch.ts';
import { burden, newestRuns, oweOne, without } from './burden.ts';
import type { AlertEvent, AlertEventType, EventNamed } from './event.ts';
import { earlier, isAfter, later } from './instant.ts';
import { InvariantError } from './invariant-error.ts';
import { requireTransition } from './machine.ts';
import type { Waiting } from './machine.ts';
import { ownValue } from './own-value.ts';
import { recoveryOf } from './recovery.ts';
import { isCondition, stepIn, stepName } from './signal.ts';
import type { EndCause } from './signal.ts';

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
    return enter(null, begin(event), 'FailureDetected');
  }
  return enter(state.state, { ...fold(state, event), version: state.version + 1 }, event.type);
};

/** Where the untold news of an alert is; decides the state together with the machine. */
export const waitingOf = (state: AlertState): Waiting => {
  if (Object.keys(state.pending).length > 0) return 'pending';
  return Object.values(state.batches).some((entry) => entry.purpose !== 'escalation') ? 'batched' : 'none';
};

const enter = (from: LifecycleState | null, folded: AlertState, type: AlertEventType): AlertState => ({
  ...folded,
  state: requireTransition(from ?? 'absent', type, waitingOf(folded)).to,
});

const begin = (event: EventNamed<'FailureDetected'>): AlertState => {
  const { data } = event;
  if (data.opening === null)
    throw new InvariantError(`The first FailureDetected of alert ${data.alertId} has no opening.`);
  const { title, rule, chain, routes, predecessor } = data.opening;
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
      return { ...state, severity: event.data.to };
    case 'AlertBatched':
      return alertBatched(state, event);
    case 'AlertNotified':
      return alertNotified(state, event);
    case 'NotificationFailed':
      return notificationFailed(state, event);
    case 'AlertEscalated':
      return { ...state, escalationLevel: event.data.level, escalatedAt: event.occurredAt };
    case 'AlertAcknowledged': {
      const { by, via, lease, note } = event.data;
      const signatures = state.causes.map((cause) => cause.signature);
      const acknowledgement = { by, via, at: event.occurredAt, lease, signatures, note };
      // The ladder starts anew, from its first step, when this lease ends.
      return { ...state, acknowledgement, unansweredSince: null, escalationLevel: 0, escalatedAt: null };
    }
    case 'AlertUnacknowledged':
      return { ...state, acknowledgement: null, unansweredSince: state.told.length > 0 ? event.occurredAt : null };
    case 'AcknowledgementLapsed': {
      const { by, acknowledgedAt, reason } = event.data;
      return tellRoutes({ ...state, acknowledgement: null }, { ...emptyBatch, lapse: { by, acknowledgedAt, reason } });
    }
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
  return tellRoutes(
    {
      ...state,
      ...addCause(state, { signature: data.signature, count: 1, samples: [version] }),
      ...burden(state, event),
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

const alertBatched = (state: AlertState, event: EventNamed<'AlertBatched'>): AlertState => {
  const { digestId, route, purpose, dueAt } = event.data;
  const known = state.batches[digestId]?.batch;
  if (purpose === 'escalation') {
    const level = state.routes.find((candidate) => candidate.name === route)?.escalation;
    const escalation = { level: state.escalationLevel, name: level?.name ?? route, afterMs: level?.afterMs ?? 0 };
    const batch = mergeBatches(known ?? emptyBatch, { ...emptyBatch, escalation });
    return { ...state, batches: { ...state.batches, [digestId]: { route, purpose, dueAt, batch } } };
  }
  const news = state.pending[route];
  if (news === undefined)
    throw new InvariantError(`Alert ${state.id} has no news for route ${route} to put into a digest.`);
  return {
    ...state,
    pending: without(state.pending, route),
    batches: {
      ...state.batches,
      [digestId]: { route, purpose, dueAt, batch: known === undefined ? news : mergeBatches(known, news) },
    },
  };
};

const alertNotified = (state: AlertState, event: EventNamed<'AlertNotified'>): AlertState => {
  const { digestId, deliveryId, route, purpose, channel, threadId, acceptedAt, reportedResolved } = event.data;
  const told = [
    ...state.told.filter((entry) => entry.route !== route || entry.channel !== channel),
    { route, channel, purpose, digestId, deliveryId, threadId, at: acceptedAt },
  ];
  const notified: AlertState = {
    ...state,
    batches: without(state.batches, digestId),
    told,
    notifiedAt: state.notifiedAt ?? acceptedAt,
    unansweredSince:
      state.unansweredSince ??
      (state.acknowledgement !== null || state.resolution !== null || purpose === 'escalation' ? null : acceptedAt),
    resolutionToldTo: reportedResolved ? union(state.resolutionToldTo, `${route} ${channel}`) : state.resolutionToldTo,
  };
  // Composed before the recovery, accepted after it: this channel is owed the resolution.
  return state.resolution !== null && !reportedResolved ? tellResolution(notified) : withoutRepeats(notified);
};

/**
 * Where several messages of a route were under way when the alert was resolved, each that is accepted puts the resolution
 * into a digest of its own. Once all who were told have it, digests that would only say it again have no news of it.
 */
const withoutRepeats = (state: AlertState): AlertState => {
  const isRepeat = ({ route, batch }: AlertState['batches'][string]): boolean =>
    batch.resolved &&
    batch.failures === 0 &&
    batch.developments.length === 0 &&
    batch.lapse === null &&
    batch.escalation === null &&
    state.told.every((one) => one.route !== route || state.resolutionToldTo.includes(`${route} ${one.channel}`));
  const kept = Object.entries(state.batches).filter(([, entry]) => !isRepeat(entry));
  return kept.length === Object.keys(state.batches).length ? state : { ...state, batches: Object.fromEntries(kept) };
};

const notificationFailed = (state: AlertState, event: EventNamed<'NotificationFailed'>): AlertState => {
  const { digestId, final } = event.data;
  if (!final) return state;
  const failed = { ...state, failedDeliveries: state.failedDeliveries + 1 };
  const entry = state.batches[digestId];
  // Another channel has accepted it, or an escalation nobody can carry: there is no news to put back.
  if (entry === undefined || entry.purpose === 'escalation')
    return { ...failed, batches: without(failed.batches, digestId) };
  const waiting = failed.pending[entry.route];
  return {
    ...failed,
    batches: without(failed.batches, digestId),
    pending: {
      ...failed.pending,
      [entry.route]: waiting === undefined ? entry.batch : mergeBatches(entry.batch, waiting),
    },
  };
};

/** Adds news for every route of the alert. */
const tellRoutes = (state: AlertState, news: Batch): AlertState => {
  const pending: Record<string, Batch> = { ...state.pending };
  for (const route of state.routes) {
    const known = pending[route.name];
    pending[route.name] = known === undefined ? news : mergeBatches(known, news);
  }
  return { ...state, pending };
};

/**
 * The resolution is news for the routes that told of the failure and have not told of its end. A route whose digest is
 * still open needs no further news: the digest will say "failed and recovered".
 */
const tellResolution = (state: AlertState): AlertState => {
  const pending: Record<string, Batch> = { ...state.pending };
  for (const { name } of state.routes) {
    const owed = state.told.some(
      (entry) => entry.route === name && !state.resolutionToldTo.includes(`${name} ${entry.channel}`),
    );
    const known = pending[name];
    if (owed || known !== undefined)
      pending[name] = mergeBatches(known ?? emptyBatch, { ...emptyBatch, resolved: true });
  }
  return { ...state, pending };
};

const union = (list: readonly string[], item: string): readonly string[] =>
  list.includes(item) ? list : [...list, item];
