import { addMs, isAfter, msBetween, nextDeliveryStep } from '@tocsin/alert-model';
import type { DeliveryOutcome, Instant } from '@tocsin/alert-model';
import type { Delivery } from '@tocsin/event-store';
import type { ServiceContext, Session } from '../service-context.ts';
import { beginWork } from '../unit-of-work.ts';
import { enterChannel } from './channel-gate.ts';
import type { Gate } from './channel-gate.ts';
import { nextChannel } from './fall-back.ts';
import { followOutcome, giveUp } from './follow-outcome.ts';
import type { Turns } from './turns.ts';

/** So that the look comes after the moment, not at it. */
const lookAgainMarginMs = 100;
/** `lastReason` of a delivery that somebody asked for: it tries a closed channel too. */
export const byHandReason = 'by-hand';

/** What became of asking for an attempt. */
export type Claim =
  | { readonly claim: 'none'; readonly reason: string }
  /** The channel is closed: another one takes over, or the message waits. No attempt was made, and none is counted. */
  | {
      readonly claim: 'put-off';
      readonly delivery: Delivery;
      readonly reason: string;
      readonly detail: string;
      /** null: another channel has taken over. */
      readonly until: Instant | null;
    }
  /** An attempt that another process left open was closed. */
  | {
      readonly claim: 'abandoned';
      readonly delivery: Delivery;
      readonly number: number;
      readonly outcome: DeliveryOutcome;
    }
  /** It is ours to send. */
  | {
      readonly claim: 'claimed';
      readonly delivery: Delivery;
      readonly number: number;
      readonly probe: 'parked' | 'circuit-open' | null;
    };

const startable: ReadonlySet<Delivery['state']> = new Set(['pending', 'retrying', 'unknown']);

/** Asks for an attempt at a delivery, in one transaction: nothing is called yet. */
export const claimAttempt = (
  context: ServiceContext,
  deliveryId: Delivery['id'],
  attemptId: string,
  turns: Turns,
): Promise<Claim> =>
  context.store.transaction('notifier.claim', async (session): Promise<Claim> => {
    // Before anything is written: what follows may append to the log (docs/adr/0003-one-writer-at-a-time.md). It also makes
    // what is read here hold until the end.
    await session.lockLog();
    const now = await session.now();
    const delivery = await session.loadDelivery(deliveryId);
    if (delivery === null) return { claim: 'none', reason: 'there is no such delivery' };
    if (delivery.nextAttemptAt === null || isAfter(delivery.nextAttemptAt, now))
      return { claim: 'none', reason: 'it is not due, or somebody else has it' };
    let probe: Extract<Claim, { claim: 'claimed' }>['probe'] = null;
    if (startable.has(delivery.state)) {
      const byHand = delivery.lastReason === byHandReason;
      const gate = await enterChannel(session, delivery.channel, byHand, now, context.settings);
      if (!gate.open) return putOff(context, session, delivery, gate, turns, now);
      probe = gate.probe;
    }
    const { attemptTimeoutMs, abandonedAfterMs } = context.settings;
    const timeoutMs = attemptTimeoutMs + abandonedAfterMs;
    const claimed = await session.claimDelivery(deliveryId, { id: attemptId, timeoutMs });
    if (claimed === null) return { claim: 'none', reason: 'it is not due, or somebody else has it' };
    const { number } = claimed;
    if (claimed.abandoned !== false) {
      const outcome = claimed.abandoned === 'claimed' ? neverBegan : crashed;
      await followOutcome(context, session, claimed.delivery, number, outcome);
      return { claim: 'abandoned', delivery: claimed.delivery, number, outcome };
    }
    // Should this process not live to record it, somebody comes back when the attempt counts as abandoned.
    const startAfter = addMs(now, timeoutMs + lookAgainMarginMs);
    await context.queue.enqueue(session.tx, [{ queue: 'timers', data: { timer: 'delivery', deliveryId }, startAfter }]);
    return { claim: 'claimed', delivery: claimed.delivery, number, probe };
  });

const crashed: DeliveryOutcome = {
  outcome: 'unknown',
  reason: 'crashed',
  status: null,
  detail: 'The process that made the attempt did not live to record its outcome.',
};

const neverBegan: DeliveryOutcome = {
  outcome: 'retry',
  reason: 'crashed',
  retryAfterMs: 0,
  status: null,
  detail: 'The process that wanted to make the attempt did not live to begin it.',
};

/**
 * A closed channel: the next one takes over at once, where there is one; it is not for a message to wait while somebody looks
 * for a key. A channel that is merely busy is waited for.
 */
const putOff = async (
  context: ServiceContext,
  session: Session,
  delivery: Delivery,
  gate: Extract<Gate, { open: false }>,
  turns: Turns,
  now: Instant,
): Promise<Claim> => {
  const { reason, detail } = gate;
  const { id, channel, attempts } = delivery;
  const everyMs = context.settings.rateLimits[channel]?.everyMs;
  const until =
    reason === 'throttled' && everyMs !== undefined ? turns.next(channel, gate.until, everyMs, now) : gate.until;
  const retryAfterMs = Math.max(1, msBetween(now, until));
  const outcome: DeliveryOutcome = { outcome: 'retry', reason, retryAfterMs, status: null, detail };
  const digest = await session.loadDigest(delivery.digestId);
  const fallback = digest === null ? null : await nextChannel(session, digest, delivery);
  const step = nextDeliveryStep(outcome, attempts, fallback !== null);
  const work = beginWork(context, session, now);
  if (step.step !== 'wait' && digest !== null) {
    await giveUp(session, work, digest, delivery, fallback, outcome, now);
    await work.flush();
    return { claim: 'put-off', delivery, reason, detail, until: null };
  }
  const afterMs = step.step === 'wait' ? step.afterMs : retryAfterMs;
  // What is waited for stays as it is: the provider's word about an attempt, or what somebody asked for by hand.
  const keeps = delivery.state === 'unknown' || delivery.lastReason === byHandReason;
  await session.updateDelivery(id, {
    state: delivery.state === 'unknown' ? 'unknown' : 'retrying',
    afterMs,
    reason: keeps && delivery.lastReason !== null ? delivery.lastReason : reason,
  });
  const startAfter = addMs(now, afterMs + lookAgainMarginMs);
  work.enqueue({ queue: 'timers', data: { timer: 'delivery', deliveryId: id }, startAfter });
  await work.flush();
  return { claim: 'put-off', delivery, reason, detail, until };
};
