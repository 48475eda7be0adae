import type { AlertState } from './alert-state.ts';
import { worse } from './classify.ts';
import type { Classification } from './classify.ts';
import { lapseByFailure } from './decide-acknowledge.ts';
import { recovered } from './decide-settle.ts';
import { silencedByFailure } from './decide-silence.ts';
import type { Silencing } from './decide-silence.ts';
import { refuse } from './decision.ts';
import type { Decision } from './decision.ts';
import { shorten } from './error-text.ts';
import type { AlertEvent, EventNamed, Opening } from './event.ts';
import { evolveAlert } from './evolve-alert.ts';
import type { AlertId, DeliveryId, DigestId, Instant } from './ids.ts';
import { earlier, isAfter, later } from './instant.ts';
import { ownValue } from './own-value.ts';
import { partialWords } from './partial-limit.ts';
import { recoveryOf } from './recovery.ts';
import { signatureOf } from './signature.ts';
import { errorCharsMax, stepIn, stepName } from './signal.ts';
import type { FailureSignal, SuccessSignal } from './signal.ts';

/** What a decision about a failure needs to know beside the alert and the policy. */
export interface FailureContext {
  readonly now: Instant;
  /** Identity of the alert if one is opened. */
  readonly alertId: AlertId;
  readonly predecessor: Opening['predecessor'];
  /** Silences that match this failure and are on. */
  readonly silences: readonly Silencing[];
  /** Digests that are not sealed: what a silence withdraws its alert's news from. Default: none. */
  readonly openDigestIds?: ReadonlySet<DigestId>;
  /** Set when the key has opened and resolved so often that an alert opened now is flapping; without effect on an open one. */
  readonly flapping: Opening['flapping'];
}

/**
 * A job failed. Opens an alert, or adds an occurrence to the open one. The caller has made sure that the outcome was
 * not recorded before.
 *
 * @param state the open alert of the key, or null
 */
export const decideFailure = (
  state: AlertState | null,
  signal: FailureSignal,
  classification: Classification,
  context: FailureContext,
): Decision => {
  const { now, predecessor, flapping } = context;
  const { title, rule, chain, routes, severity, key, missing } = classification;
  const error = errorOf(signal);
  const opening = state === null ? { title, rule, chain, routes: [...routes], predecessor, flapping } : null;
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
      details: signal.details,
      observedAt: signal.observedAt,
      opening,
    },
  };
  const events: [AlertEvent, ...AlertEvent[]] = [
    detected,
    ...silencedByFailure(state, context.silences, context.openDigestIds ?? new Set(), now),
  ];
  if (state === null) return { events, reason: 'first failure of its key' };
  if (worse(state.severity, severity) !== state.severity)
    events.push({ type: 'SeverityRaised', occurredAt: now, data: { from: state.severity, to: severity } });
  const lapse = lapseByFailure(state, detected.data.signature, now);
  if (lapse !== null) events.push(lapse);
  if (Object.keys(state.successes).length === 0) return { events, reason: 'another failure of an open alert' };
  const after = evolveAlert(state, detected);
  const recovery = recoveryOf(after);
  if (recovery === null) return { events, reason: 'another failure of an open alert' };
  // It came late: what makes it good was heard of before.
  events.push(recovered(after, recovery, null, now));
  return { events, reason: recovery.reason };
};

/** Watched work succeeded. Recorded when it matters to the alert; resolves it when nothing is owed any more. */
export const decideSuccess = (state: AlertState, signal: SuccessSignal, now: Instant): Decision => {
  if (state.state === 'resolved') return refuse('the alert is already resolved');
  const heldUntil = state.flapping?.heldUntil ?? null;
  // Others may succeed every second of the hold; should something fail in it, those that matter are heard of again.
  if (heldUntil !== null) return refuse(`it is fine already, and resolved at ${heldUntil} if it stays so`);
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
  return { events: [detected, recovered(after, recovery, null, now)], reason: recovery.reason };
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
