import { addMs, nextDeliveryStep } from '@tocsin/alert-model';
import type { DeliveryOutcome, DigestState, Instant } from '@tocsin/alert-model';
import type { Delivery } from '@tocsin/event-store';
import type { ServiceContext, Session } from '../service-context.ts';
import { beginWork } from '../unit-of-work.ts';
import type { UnitOfWork } from '../unit-of-work.ts';
import { fallbackNotice, insertReplacement, nextChannel, replacementOn } from './fall-back.ts';
import { followWord, settleUnknown } from './provider-word.ts';

/**
 * Carries out what follows from the end of an attempt, in the transaction that records it: it was accepted, it is tried
 * again, or the next channel takes over. Where the provider itself has said meanwhile that it accepted an attempt of which
 * we do not know how it ended, that is its end. The caller holds the lock of the log.
 *
 * @param attempts how many attempts were made, this one included
 */
export const followOutcome = async (
  context: ServiceContext,
  session: Session,
  delivery: Delivery,
  attempts: number,
  outcome: DeliveryOutcome,
): Promise<void> => {
  const now = await session.now();
  const digest = await session.loadDigest(delivery.digestId);
  if (digest === null) return;
  const work = beginWork(context, session, now);
  const word = outcome.outcome === 'accepted' ? outcome : await settleUnknown(session, delivery);
  if (word !== null) await accept(context, session, work, digest, delivery, attempts, word, now);
  else {
    const fallback = await nextChannel(session, digest, delivery);
    const step = nextDeliveryStep(outcome, attempts, fallback !== null, context.settings.unknownRetryMs);
    switch (step.step) {
      case 'accepted':
        break;
      case 'wait':
        await session.updateDelivery(delivery.id, {
          state: step.state,
          afterMs: step.afterMs,
          reason: reasonOf(outcome),
        });
        work.enqueue(
          step.afterMs === 0
            ? { queue: 'deliveries', data: { task: 'deliver', deliveryId: delivery.id } }
            : {
                queue: 'timers',
                data: { timer: 'delivery', deliveryId: delivery.id },
                startAfter: addMs(now, step.afterMs),
              },
        );
        break;
      case 'give-up':
        await giveUp(session, work, digest, delivery, fallback, outcome, now);
        break;
      default:
        step satisfies never;
    }
  }
  await work.flush();
};

type Accepted = Extract<DeliveryOutcome, { outcome: 'accepted' }>;

/** The provider took responsibility. What it has already said of the message is taken into account; see `followWord`. */
export const accept = async (
  context: ServiceContext,
  session: Session,
  work: UnitOfWork,
  digest: DigestState,
  delivery: Delivery,
  attempts: number,
  { providerMessageId }: Accepted,
  now: Instant,
): Promise<number> => {
  await session.updateDelivery(delivery.id, { state: 'accepted', providerMessageId });
  work.applyDigest(digest, [
    {
      type: 'DigestDelivered',
      occurredAt: now,
      data: { deliveryId: delivery.id, channel: delivery.channel, acceptedAt: now, attempts },
    },
  ]);
  work.enqueue({ queue: 'deliveries', data: { task: 'settle', deliveryId: delivery.id } });
  return followWord(context, session, work, delivery);
};

/**
 * The channel is done with it: the next one takes over, or, without one, the alerts of the message learn that nobody was told.
 *
 * @param outcome why; of an attempt, or of a channel that is not tried at all
 */
export const giveUp = async (
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
  const replacement = fallback === null ? null : replacementOn(fallback);
  work.applyDigest(digest, [
    {
      type: 'DigestFailed',
      occurredAt: now,
      data: { deliveryId: delivery.id, channel: delivery.channel, reason, fallback: replacement },
    },
  ]);
  work.enqueue({ queue: 'deliveries', data: { task: 'settle', deliveryId: delivery.id } });
  if (replacement === null) return;
  // What a provider answered to this message is on record; why a message was not even tried is worth a word in it.
  const detail = reason === 'parked' && outcome.outcome !== 'accepted' ? outcome.detail : null;
  const notice = fallbackNotice({ channel: delivery.channel, reason, detail }, replacement.channel);
  await insertReplacement(session, work, delivery, replacement, notice);
};

/** A word of the closed list, or `accepted`. */
export const reasonOf = (outcome: DeliveryOutcome): string =>
  outcome.outcome === 'accepted' ? 'accepted' : outcome.reason;
