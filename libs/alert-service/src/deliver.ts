import { randomUUID } from 'node:crypto';
import type { DeliveryId, DeliveryOutcome } from '@tocsin/alert-model';
import type { Delivery } from '@tocsin/event-store';
import { crashPoint, withRetries } from '@tocsin/runtime';
import { claimAttempt } from './deliver/claim-attempt.ts';
import { reasonOf } from './deliver/follow-outcome.ts';
import { recordOutcome } from './deliver/record-outcome.ts';
import { createTurns } from './deliver/turns.ts';
import type { Turns } from './deliver/turns.ts';
import type { ServiceContext } from './service-context.ts';

/** What one call came to. */
export type Delivered =
  | { readonly attempted: false; readonly reason: string }
  | { readonly attempted: true; readonly outcome: DeliveryOutcome['outcome'] };

/**
 * Makes one attempt at a delivery, if it is due and its channel may be used: writes the attempt down (`claimed`), says right
 * before the call that it is made now (`attempting`), calls the provider outside any transaction, writes down what it came to
 * and what follows. Whoever calls it at the wrong time, or twice, finds nothing to do.
 *
 * A process that dies, or sleeps for too long, before it says that it calls has certainly sent nothing: the attempt is made
 * again. One that dies between that and the record leaves an open attempt; the next call, after the attempt's time, records it
 * as unknown. That is the one way a message can reach a provider twice.
 *
 * @param turns what this process remembers of messages that wait for a channel that may only send so much
 */
export const deliver = async (
  context: ServiceContext,
  deliveryId: DeliveryId,
  stop: AbortSignal,
  turns: Turns = createTurns(),
): Promise<Delivered> => {
  const attemptId = randomUUID();
  const claim = await claimAttempt(context, deliveryId, attemptId, turns);
  switch (claim.claim) {
    case 'none':
      return { attempted: false, reason: claim.reason };
    case 'put-off': {
      const { delivery, reason, detail, until } = claim;
      context.log.info(
        {
          decision: 'DeliveryPutOff',
          deliveryId,
          digestId: delivery.digestId,
          channel: delivery.channel,
          reason,
          detail,
          until,
        },
        until === null ? 'another channel takes over' : 'delivery waits for its channel',
      );
      return { attempted: false, reason };
    }
    case 'abandoned':
      logOutcome(context, claim.delivery, claim.number, claim.outcome);
      return { attempted: false, reason: 'an earlier attempt was found abandoned' };
    case 'claimed': {
      const outcome = await attempt(context, claim, attemptId, stop);
      if (outcome === null) return { attempted: false, reason: 'the attempt was taken for abandoned' };
      await recordOutcome(context, claim, attemptId, outcome);
      logOutcome(context, claim.delivery, claim.number, outcome);
      return { attempted: true, outcome: outcome.outcome };
    }
    default:
      return claim satisfies never;
  }
};

/** Calls the provider, if the attempt is still ours; null when it is not. One time limit holds for all of it. */
const attempt = async (
  context: ServiceContext,
  { delivery, number }: { readonly delivery: Delivery; readonly number: number },
  attemptId: string,
  stop: AbortSignal,
): Promise<DeliveryOutcome | null> => {
  const startedMs = performance.now();
  const timeoutMs = context.settings.attemptTimeoutMs;
  const signal = AbortSignal.any([stop, AbortSignal.timeout(timeoutMs)]);
  const { id, message, channel, messageId, threadId, digestId } = delivery;
  const begun = await withRetries(
    (tries) =>
      // Without the lock of the log: it appends nothing, and whoever takes the attempt for abandoned changes the same row.
      context.store.transaction('notifier.begin', async (session) => {
        const roots = threadId === digestId ? null : await session.threadRoots(channel, [threadId]);
        const attempts = number === 1 && tries === 1 ? [] : await session.attemptsOf([id]);
        const facts = {
          rootId: roots?.get(threadId) ?? null,
          mayHaveArrived: attempts.some(({ outcome }) => outcome === 'unknown'),
        };
        if (signal.aborted) return null;
        // Nobody else begins it: if it has begun, the answer to our own try before was lost.
        const isBegun = attempts.some((one) => one.id === attemptId && one.outcome === 'attempting');
        return isBegun || (await session.beginAttempt(attemptId)) ? facts : null;
      }),
    { signal },
  );
  // Between two answers of the database this process may have slept for as long as anybody likes.
  if (signal.aborted || performance.now() - startedMs > timeoutMs) return notSent;
  if (begun === null) return null;
  crashPoint('notifier.before_send');
  const outcome = await context.sender.send(
    channel,
    { message, deliveryId: id, attemptId, messageId, ...begun },
    { signal, timeoutMs },
  );
  crashPoint('notifier.after_send');
  context.observer?.attempted(channel, outcome, performance.now() - startedMs);
  return outcome;
};

const notSent: DeliveryOutcome = {
  outcome: 'retry',
  reason: 'crashed',
  retryAfterMs: 0,
  status: null,
  detail: 'The process stopped, or slept, before the provider was called.',
};

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
