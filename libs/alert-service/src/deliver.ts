import { randomUUID } from 'node:crypto';
import { DeliveryId, addMs, nextDeliveryStep } from '@tocsin/alert-model';
import type { DeliveryOutcome, DigestEvent, DigestState, Instant } from '@tocsin/alert-model';
import type { Delivery } from '@tocsin/event-store';
import { crashPoint, withRetries } from '@tocsin/runtime';
import type { ServiceContext, Session } from './service-context.ts';
import { beginWork } from './unit-of-work.ts';
import type { UnitOfWork } from './unit-of-work.ts';

/** Tries to write down what an attempt came to, over some ten seconds; then it counts as abandoned. */
const recordTriesMax = 12;
/** So that the look comes after the moment, not at it. */
const lookAgainMarginMs = 100;

/** What one call came to. */
export type Delivered =
  | { readonly attempted: false; readonly reason: string }
  | { readonly attempted: true; readonly outcome: DeliveryOutcome['outcome'] };

/**
 * Makes one attempt at a delivery, if it is due: writes the attempt down, calls the provider outside any transaction,
 * writes down what it came to and what follows. Whoever calls it at the wrong time, or twice, finds nothing to do.
 *
 * A process that dies between the provider's accept and the record leaves an open attempt; the next call, after the
 * attempt's time, records it as unknown. That is the one way a message can reach a provider twice.
 */
export const deliver = async (
  context: ServiceContext,
  deliveryId: DeliveryId,
  stop: AbortSignal,
): Promise<Delivered> => {
  const { attemptTimeoutMs, abandonedAfterMs } = context.settings;
  const attemptId = randomUUID();
  const claim = await context.store.transaction('notifier.claim', async (session) => {
    // Before anything is written: an abandoned attempt appends to the log (docs/adr/0003-one-writer-at-a-time.md).
    await session.lockLog();
    const claimed = await session.claimDelivery(deliveryId, {
      id: attemptId,
      timeoutMs: attemptTimeoutMs + abandonedAfterMs,
    });
    if (claimed?.abandoned === true) await follow(context, session, claimed.delivery, claimed.number, crashed);
    else if (claimed !== null) await lookAgain(context, session, deliveryId);
    return claimed;
  });
  if (claim === null) return { attempted: false, reason: 'it is not due, or somebody else has it' };
  if (claim.abandoned) {
    logOutcome(context, claim.delivery, claim.number, crashed);
    return { attempted: false, reason: 'an earlier attempt was found abandoned' };
  }
  const { delivery, number } = claim;
  crashPoint('notifier.before_send');
  const { message, channel, messageId } = delivery;
  const signal = AbortSignal.any([stop, AbortSignal.timeout(attemptTimeoutMs)]);
  const outcome = await context.sender.send(
    channel,
    { message, deliveryId, attemptId, messageId },
    { signal, timeoutMs: attemptTimeoutMs },
  );
  crashPoint('notifier.after_send');
  // The provider may have accepted: a database that is just restarting must not make us forget it and send again.
  // Recording twice changes nothing.
  await withRetries(
    () =>
      context.store.transaction('notifier.record', async (session) => {
        await session.lockLog();
        const current = await record(session, attemptId, deliveryId, outcome);
        if (current !== null) await follow(context, session, current, number, outcome);
      }),
    { attemptsMax: recordTriesMax },
  );
  logOutcome(context, delivery, number, outcome);
  return { attempted: true, outcome: outcome.outcome };
};

/** Comes back when the attempt would count as abandoned, should this process not live to record it. */
const lookAgain = async (context: ServiceContext, session: Session, deliveryId: DeliveryId): Promise<void> => {
  const { attemptTimeoutMs, abandonedAfterMs } = context.settings;
  const startAfter = addMs(await session.now(), attemptTimeoutMs + abandonedAfterMs + lookAgainMarginMs);
  await context.queue.enqueue(session.tx, [{ queue: 'timers', data: { timer: 'delivery', deliveryId }, startAfter }]);
};

const crashed: DeliveryOutcome = {
  outcome: 'unknown',
  reason: 'crashed',
  status: null,
  detail: 'The process that made the attempt did not live to record its outcome.',
};

/**
 * Closes the attempt. Answers the delivery when its outcome still decides what follows: always when the attempt was
 * open; otherwise (we slept, and another process took it for abandoned) only when the provider accepted after all and
 * nobody has settled it differently, which spares the resend.
 */
const record = async (
  session: Session,
  attemptId: string,
  deliveryId: DeliveryId,
  outcome: DeliveryOutcome,
): Promise<Delivery | null> => {
  const closed = await session.recordAttempt(attemptId, outcome);
  const delivery = await session.loadDelivery(deliveryId);
  if (delivery === null) return null;
  if (closed) return delivery;
  return outcome.outcome === 'accepted' && delivery.state === 'unknown' ? delivery : null;
};

/** Carries out what follows from an outcome, in the transaction that records it. The caller holds the lock of the log. */
const follow = async (
  context: ServiceContext,
  session: Session,
  delivery: Delivery,
  attempts: number,
  outcome: DeliveryOutcome,
): Promise<void> => {
  const now = await session.now();
  const digest = await session.loadDigest(delivery.digestId);
  if (digest === null) return;
  const used = (await session.deliveriesOfDigest(digest.id)).map(({ channel }) => channel);
  const fallback = digest.fallback.find((channel) => !used.includes(channel)) ?? null;
  const step = nextDeliveryStep(outcome, attempts, fallback !== null, context.settings.unknownRetryMs);
  const work = beginWork(context, session, now);
  switch (step.step) {
    case 'accepted':
      await accept(session, work, digest, delivery, attempts, outcome, now);
      break;
    case 'wait':
      await session.updateDelivery(delivery.id, {
        state: step.state,
        afterMs: step.afterMs,
        reason: reasonOf(outcome),
      });
      work.enqueue({
        queue: 'timers',
        data: { timer: 'delivery', deliveryId: delivery.id },
        startAfter: addMs(now, step.afterMs),
      });
      break;
    case 'give-up':
      await giveUp(session, work, digest, delivery, fallback, outcome, now);
      break;
    default:
      step satisfies never;
  }
  await work.flush();
};

const accept = async (
  session: Session,
  work: UnitOfWork,
  digest: DigestState,
  delivery: Delivery,
  attempts: number,
  outcome: DeliveryOutcome,
  now: Instant,
): Promise<void> => {
  const providerMessageId = outcome.outcome === 'accepted' ? outcome.providerMessageId : null;
  await session.updateDelivery(delivery.id, { state: 'accepted', providerMessageId });
  work.applyDigest(digest, [
    {
      type: 'DigestDelivered',
      occurredAt: now,
      data: { deliveryId: delivery.id, channel: delivery.channel, acceptedAt: now, attempts },
    },
  ]);
  work.enqueue({ queue: 'deliveries', data: { task: 'settle', deliveryId: delivery.id } });
};

const giveUp = async (
  session: Session,
  work: UnitOfWork,
  digest: DigestState,
  delivery: Delivery,
  fallback: string | null,
  outcome: DeliveryOutcome,
  now: Instant,
): Promise<void> => {
  const reason = reasonOf(outcome);
  await session.updateDelivery(delivery.id, { state: fallback === null ? 'rejected' : 'replaced', reason });
  const replacement = fallback === null ? null : { deliveryId: DeliveryId.parse(randomUUID()), channel: fallback };
  const event: DigestEvent = {
    type: 'DigestFailed',
    occurredAt: now,
    data: { deliveryId: delivery.id, channel: delivery.channel, reason, fallback: replacement },
  };
  work.applyDigest(digest, [event]);
  work.enqueue({ queue: 'deliveries', data: { task: 'settle', deliveryId: delivery.id } });
  if (replacement === null) return;
  const notice = `This message could not be sent through the channel "${delivery.channel}" (${reason}), so it comes through "${replacement.channel}". Look after that channel.`;
  await session.insertDeliveries([
    {
      ...delivery,
      id: replacement.deliveryId,
      channel: replacement.channel,
      message: { ...delivery.message, notices: [...delivery.message.notices, notice] },
      fallbackOf: delivery.id,
    },
  ]);
  work.enqueue({ queue: 'deliveries', data: { task: 'deliver', deliveryId: replacement.deliveryId } });
};

const reasonOf = (outcome: DeliveryOutcome): string => (outcome.outcome === 'accepted' ? 'accepted' : outcome.reason);

const logOutcome = (context: ServiceContext, delivery: Delivery, number: number, outcome: DeliveryOutcome): void => {
  const fields = {
    decision: 'DeliveryAttempted',
    deliveryId: delivery.id,
    digestId: delivery.digestId,
    channel: delivery.channel,
    attempt: number,
    outcome: outcome.outcome,
    reason: reasonOf(outcome),
    status: outcome.status,
    ...(outcome.outcome === 'accepted' ? {} : { detail: outcome.detail }),
  };
  if (outcome.outcome === 'accepted') context.log.info(fields, 'delivery accepted');
  else if (outcome.outcome === 'rejected') context.log.error(fields, 'delivery rejected');
  else context.log.warn(fields, 'delivery not accepted');
};
