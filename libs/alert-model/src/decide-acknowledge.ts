import type { AlertState } from './alert-state.ts';
import { refuse } from './decision.ts';
import type { Decision } from './decision.ts';
import type { EventNamed, Lease } from './event.ts';
import type { Instant } from './ids.ts';
import { isAfter } from './instant.ts';

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

/**
 * The end of an acknowledgement that a failure brings about, by its lease; null when it goes on.
 *
 * @param state before the failure
 * @param signature cause of the failure
 */
export const lapseByFailure = (
  { acknowledgement: held }: Pick<AlertState, 'acknowledgement'>,
  signature: string,
  now: Instant,
): EventNamed<'AcknowledgementLapsed'> | null => {
  if (held === null) return null;
  const { lease } = held;
  if (lease.until === 'signature-change' && !held.signatures.includes(signature))
    return lapse(held, 'signature-change', now);
  return lease.until === 'failures' && held.failures + 1 >= lease.count ? lapse(held, 'failures', now) : null;
};

const lapse = (
  held: NonNullable<AlertState['acknowledgement']>,
  reason: EventNamed<'AcknowledgementLapsed'>['data']['reason'],
  now: Instant,
): EventNamed<'AcknowledgementLapsed'> => ({
  type: 'AcknowledgementLapsed',
  occurredAt: now,
  data: { by: held.by, acknowledgedAt: held.at, reason },
});
