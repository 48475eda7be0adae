import type { DeliveryOutcome } from '@tocsin/alert-model';
import type { Delivery } from '@tocsin/event-store';
import { withRetries } from '@tocsin/runtime';
import type { ServiceContext, Session } from '../service-context.ts';
import type { Claim } from './claim-attempt.ts';
import { followOutcome } from './follow-outcome.ts';
import { noteChannel } from './note-channel.ts';

/** Tries to write down what an attempt came to, over some ten seconds; then it counts as abandoned. */
const recordTriesMax = 12;

/**
 * Writes down what an attempt came to, what that says of its channel, and what follows. The provider may have accepted: a
 * database that is just restarting must not make us forget it and send again. Recording twice changes nothing.
 */
export const recordOutcome = (
  context: ServiceContext,
  { delivery, number, probe }: Extract<Claim, { claim: 'claimed' }>,
  attemptId: string,
  outcome: DeliveryOutcome,
): Promise<void> =>
  withRetries(
    () =>
      context.store.transaction('notifier.record', async (session) => {
        await session.lockLog();
        const current = await closeAttempt(session, attemptId, delivery.id, outcome);
        if (current === null) return;
        // First the channel: what follows is to wait no longer than its circuit.
        await noteChannel(context, session, current, outcome, probe);
        await followOutcome(context, session, current, number, outcome);
      }),
    { attemptsMax: recordTriesMax },
  );

/**
 * Closes the attempt. Answers the delivery when its outcome still decides what follows: always when the attempt was
 * open; otherwise (we slept, and another process took it for abandoned) only when the provider accepted after all and
 * nobody has tried again or settled it differently, which spares the resend.
 */
const closeAttempt = async (
  session: Session,
  attemptId: string,
  deliveryId: Delivery['id'],
  outcome: DeliveryOutcome,
): Promise<Delivery | null> => {
  const closed = await session.recordAttempt(attemptId, outcome);
  const delivery = await session.loadDelivery(deliveryId);
  if (delivery === null || closed) return delivery;
  const waits = delivery.state === 'unknown' || delivery.state === 'retrying';
  if (outcome.outcome !== 'accepted' || !waits) return null;
  return (await session.settleUnknownAttempt(attemptId, outcome.providerMessageId)) ? delivery : null;
};
