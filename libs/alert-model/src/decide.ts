import type { AlertState } from './alert-state.ts';
import { worse } from './classify.ts';
import type { Classification } from './classify.ts';
import { refuse } from './decision.ts';
import type { Decision } from './decision.ts';
import { shorten } from './error-text.ts';
import type { AlertEvent, EventNamed, Lease, Opening } from './event.ts';
import { evolveAlert } from './evolve-alert.ts';
import type { AlertId, DeliveryId, DigestId, Instant } from './ids.ts';
import { addMs, earlier, isAfter, later } from './instant.ts';
import { ownValue } from './own-value.ts';
import { partialWords } from './partial-limit.ts';
import { recoveryOf } from './recovery.ts';
import { signatureOf } from './signature.ts';
import { errorCharsMax, stepIn, stepName } from './signal.ts';
import type { FailureSignal, SuccessSignal } from './signal.ts';

/**
 * A job failed. Opens an alert, or adds an occurrence to the open one. The caller has made sure that the outcome was
 * not recorded before.
 *
 * @param state the open alert of the key, or null
 * @param alertId identity of the alert if one is opened
 */
export const decideFailure = (
  state: AlertState | null,
  signal: FailureSignal,
  classification: Classification,
  context: { readonly now: Instant; readonly alertId: AlertId; readonly predecessor: Opening['predecessor'] },
): Decision => {
  const { now } = context;
  const { title, rule, chain, routes, severity, key, missing } = classification;
  const error = errorOf(signal);
  const opening = state === null ? { title, rule, chain, routes: [...routes], predecessor: context.predecessor } : null;
  const detected: EventNamed<'FailureDetected'> = {
    type: 'FailureDetected',
    occurredAt: now,
    data: {
      alertId: state?.id ?? context.alertId,
      key,
      outcomeId: signal.outcomeId,
      table: signal.table,
      jobId: signal.jobId,
      kind: signal.kind,
      severity,
      source: signal.source,
      jobType: signal.jobType,
      targetId: signal.targetId,
      attempts: signal.attempts,
      maxAttempts: signal.maxAttempts,
      error,
      signature: signatureOf(error),
      failedAt: signal.failedAt,
      run: signal.run,
      missing: [...missing],
      lastGreenAt: signal.runContext?.lastGreenAt ?? null,
      notes: [...signal.notes],
      observedAt: signal.observedAt,
      opening,
    },
  };
  if (state === null) return { events: [detected], reason: 'first failure of its key' };
  const events: [AlertEvent, ...AlertEvent[]] = [detected];
  if (worse(state.severity, severity) !== state.severity)
    events.push({ type: 'SeverityRaised', occurredAt: now, data: { from: state.severity, to: severity } });
  const held = state.acknowledgement;
  if (held?.lease.until === 'signature-change' && !held.signatures.includes(detected.data.signature))
    events.push(lapse(held, 'signature-change', now));
  const recovery = Object.keys(state.successes).length === 0 ? null : recoveryOf(evolveAlert(state, detected));
  if (recovery === null) return { events, reason: 'another failure of an open alert' };
  // It came late: what makes it good was heard of before.
  events.push({ type: 'AlertResolved', occurredAt: now, data: { ...recovery, by: null, note: null } });
  return { events, reason: recovery.reason };
};

/** Watched work succeeded. Recorded when it matters to the alert; resolves it when nothing is owed any more. */
export const decideSuccess = (state: AlertState, signal: SuccessSignal, now: Instant): Decision => {
  if (state.state === 'resolved') return refuse('the alert is already resolved');
  const name = stepName(stepIn(state.chain?.steps ?? null, signal));
  const isStep = state.chain?.steps?.some((step) => stepName(step) === name) === true;
  // A step of a known chain may belong to a run that makes good the failure of another step.
  const failures = isStep ? failuresOf(state) : failuresOf(state, name);
  if (failures.length === 0) return refuse('nothing of that name has failed in this alert');
  if (!isAfter(signal.finishedAt, failures.reduce(earlier))) return refuse('it finished before the failure');
  const known = finishOf(state, signal.run, name);
  if (known !== undefined && !isAfter(signal.finishedAt, known)) return refuse('this success is already recorded');
  // A condition can last for days, while other jobs of that name succeed every second: the first of them is enough to
  // pay for it, should it end badly.
  if (known !== undefined && !isStep && !Object.hasOwn(state.owed, name) && isAfter(known, failures.reduce(later)))
    return refuse('a success of it is already recorded');
  const { outcomeId, table, jobId, jobType, targetId, run, finishedAt } = signal;
  const detected: AlertEvent = {
    type: 'SuccessDetected',
    occurredAt: now,
    data: { outcomeId, table, jobId, jobType, targetId, run, finishedAt },
  };
  const after = evolveAlert(state, detected);
  // Only so many runs are remembered; a success of an older one would be recorded again and again.
  if (finishOf(after, run, name) === undefined) return refuse('it belongs to a run too old to matter');
  const recovery = recoveryOf(after);
  if (recovery === null) return { events: [detected], reason: 'more successes are owed' };
  const resolved: AlertEvent = { type: 'AlertResolved', occurredAt: now, data: { ...recovery, by: null, note: null } };
  return { events: [detected, resolved], reason: recovery.reason };
};

const finishOf = (state: AlertState, run: string | null, name: string): Instant | undefined =>
  ownValue(ownValue(state.successes, run ?? '') ?? {}, name);

/** When work failed, or came under suspicion, that may have to be made good: all of it, or that of one name. */
const failuresOf = (state: AlertState, name?: string): readonly Instant[] => {
  const owed = name === undefined ? Object.values(state.owed) : [ownValue(state.owed, name) ?? []].flat();
  const suspected = Object.values(state.suspicions).filter(({ step }) => name === undefined || stepName(step) === name);
  return [
    ...owed.flatMap(({ failedAtByRun }) => Object.values(failedAtByRun)),
    ...suspected.map(({ failedAt }) => failedAt),
  ];
};

/** A job that succeeded in part says in its error how much of it failed. */
const errorOf = ({ kind, counts, error }: FailureSignal): string | null =>
  kind === 'partial' && counts !== null
    ? shorten([`${partialWords(counts)}.`, ...(error === null ? [] : [error])].join('\n'), errorCharsMax)
    : error;

/** A channel accepted a message about this alert. */
export const decideNotified = (
  state: AlertState,
  delivery: {
    readonly digestId: DigestId;
    readonly deliveryId: DeliveryId;
    readonly route: string;
    readonly purpose: EventNamed<'AlertNotified'>['data']['purpose'];
    readonly channel: string;
    readonly threadId: DigestId;
    readonly acceptedAt: Instant;
    readonly reportedResolved: boolean;
  },
  now: Instant,
): Decision => {
  const { route, channel, deliveryId } = delivery;
  const before = state.told.find((entry) => entry.route === route && entry.channel === channel);
  if (before?.deliveryId === deliveryId) return refuse('already recorded');
  if (delivery.reportedResolved && before !== undefined && state.state === 'resolved') {
    const { digestId, acceptedAt } = delivery;
    // Another message may have told the recovery before; what else this one told is told nevertheless.
    if (state.resolutionToldTo.includes(`${route} ${channel}`) && !(digestId in state.batches))
      return refuse('already recorded');
    return {
      events: [
        { type: 'ResolutionNotified', occurredAt: now, data: { digestId, deliveryId, route, channel, acceptedAt } },
      ],
      reason: 'the recovery was told',
    };
  }
  return {
    events: [{ type: 'AlertNotified', occurredAt: now, data: { ...delivery } }],
    reason: 'the failure was told',
  };
};

/** A channel gave a message up. When no other message of the digest tells of the alert, its news waits for the next digest. */
export const decideNotificationFailed = (
  state: AlertState,
  failure: EventNamed<'NotificationFailed'>['data'],
  now: Instant,
): Decision => {
  if (failure.final && !(failure.digestId in state.batches)) return refuse('there is no news of it to put back');
  return { events: [{ type: 'NotificationFailed', occurredAt: now, data: failure }], reason: failure.reason };
};

/** Nobody acknowledged in time: the next level is told. */
export const decideEscalate = (
  state: AlertState,
  due: { readonly route: string; readonly level: number },
  now: Instant,
): Decision => {
  if (state.state === 'resolved') return refuse('it is resolved');
  if (state.acknowledgement !== null) return refuse(`it is acknowledged by ${state.acknowledgement.by}`);
  if (state.escalationLevel >= due.level) return refuse(`level ${due.level} was told before`);
  const escalation = state.routes.find((route) => route.name === due.route)?.escalation ?? null;
  if (escalation === null) return refuse('its route has no escalation');
  const { name, channels, afterMs } = escalation;
  if (state.unansweredSince === null) return refuse('it has not been told since somebody held it');
  const dueAt = addMs(state.unansweredSince, afterMs);
  if (isAfter(dueAt, now)) return refuse(`its clock runs until ${dueAt}`);
  return {
    events: [
      {
        type: 'AlertEscalated',
        occurredAt: now,
        data: { level: due.level, route: due.route, escalation: name, channels, afterMs },
      },
    ],
    reason: 'nobody acknowledged in time',
  };
};

/** Somebody takes the alert. */
export const decideAcknowledge = (
  state: AlertState,
  command: { readonly by: string; readonly via: string; readonly lease: Lease; readonly note: string | null },
  now: Instant,
): Decision => {
  if (state.state === 'resolved') return refuse('the alert is already resolved');
  if (state.acknowledgement !== null) return refuse(`already acknowledged by ${state.acknowledgement.by}`);
  if (command.lease.until === 'time' && !isAfter(command.lease.at, now))
    return refuse(`the lease would end in the past, at ${command.lease.at}`);
  return {
    events: [{ type: 'AlertAcknowledged', occurredAt: now, data: command }],
    reason: `acknowledged by ${command.by}`,
  };
};

/** Somebody gives the alert back. */
export const decideUnacknowledge = (state: AlertState, by: string, now: Instant): Decision =>
  state.state === 'resolved'
    ? refuse('the alert is already resolved')
    : state.acknowledgement === null
      ? refuse('the alert is not acknowledged')
      : { events: [{ type: 'AlertUnacknowledged', occurredAt: now, data: { by } }], reason: `given back by ${by}` };

/** The time of an acknowledgement is over. */
export const decideLapse = (state: AlertState, now: Instant): Decision => {
  const held = state.acknowledgement;
  if (state.state === 'resolved') return refuse('the alert is already resolved');
  if (held === null) return refuse('the alert is not acknowledged');
  if (held.lease.until !== 'time') return refuse(`the acknowledgement holds until ${held.lease.until}`);
  if (isAfter(held.lease.at, now)) return refuse(`the acknowledgement holds until ${held.lease.at}`);
  return { events: [lapse(held, 'time', now)], reason: 'the acknowledgement ran out' };
};

/** An operator closes the alert by hand. */
export const decideResolve = (
  state: AlertState,
  command: { readonly by: string; readonly note: string | null },
  now: Instant,
): Decision =>
  state.state === 'resolved'
    ? refuse('the alert is already resolved')
    : {
        events: [
          {
            type: 'AlertResolved',
            occurredAt: now,
            data: { reason: 'operator', resolvedAt: now, by: command.by, note: command.note },
          },
        ],
        reason: `resolved by ${command.by}`,
      };

const lapse = (
  held: NonNullable<AlertState['acknowledgement']>,
  reason: 'time' | 'signature-change',
  now: Instant,
): EventNamed<'AcknowledgementLapsed'> => ({
  type: 'AcknowledgementLapsed',
  occurredAt: now,
  data: { by: held.by, acknowledgedAt: held.at, reason },
});
