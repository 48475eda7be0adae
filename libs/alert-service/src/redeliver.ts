import type { DeliveryId, DigestState } from '@tocsin/alert-model';
import type { Delivery } from '@tocsin/event-store';
import { byHandReason } from './deliver/claim-attempt.ts';
import { insertReplacement, replacementOn } from './deliver/fall-back.ts';
import type { ServiceContext, Session } from './service-context.ts';
import { beginWork } from './unit-of-work.ts';

/** What came of the wish to send a message again. */
export type Redelivered =
  | {
      readonly done: true;
      /** The delivery that is tried now: a new one for a dead letter, the same one where it was waiting. */
      readonly deliveryId: DeliveryId;
      readonly reason: string;
    }
  | { readonly done: false; readonly refused: string };

type RedeliverContext = Pick<ServiceContext, 'store' | 'queue' | 'policy' | 'log'>;

/**
 * Somebody wants a message to be tried now: a dead letter gets a new delivery on the same channel, one that waits is due at
 * once. Also tries a channel that is parked or whose circuit is open, because whoever asks may just have repaired it. Refused,
 * with the reason, where it was accepted, where another channel took over, and while an attempt is under way.
 */
export const redeliver = async (
  context: RedeliverContext,
  deliveryId: DeliveryId,
  by: string,
): Promise<Redelivered> => {
  const result = await context.store.transaction('notifier.redeliver', async (session): Promise<Redelivered> => {
    await session.lockLog();
    const delivery = await session.loadDelivery(deliveryId);
    if (delivery === null) return { done: false, refused: `there is no delivery ${deliveryId}` };
    switch (delivery.state) {
      case 'accepted':
        return { done: false, refused: `it was accepted at ${delivery.acceptedAt ?? 'an unknown time'}` };
      case 'attempting':
        return { done: false, refused: 'an attempt is under way' };
      case 'pending':
      case 'retrying':
      case 'unknown':
        return tryNow(context, session, delivery);
      case 'rejected':
      case 'replaced':
        return sendAgain(context, session, delivery, by);
      default:
        return delivery.state satisfies never;
    }
  });
  const fields = { deliveryId, by, ...result };
  if (result.done) context.log.info({ decision: 'DeliveryRedriven', ...fields }, 'a message is tried again by hand');
  else context.log.info({ decision: 'Refused', ...fields }, 'a message is not tried again');
  return result;
};

const tryNow = async ({ queue }: RedeliverContext, session: Session, { id, state }: Delivery): Promise<Redelivered> => {
  await session.updateDelivery(id, {
    state: state === 'unknown' ? 'unknown' : 'retrying',
    afterMs: 0,
    reason: byHandReason,
  });
  await queue.enqueue(session.tx, [{ queue: 'deliveries', data: { task: 'deliver', deliveryId: id } }]);
  return { done: true, deliveryId: id, reason: 'it was waiting and is tried now' };
};

const sendAgain = async (
  context: RedeliverContext,
  session: Session,
  delivery: Delivery,
  by: string,
): Promise<Redelivered> => {
  const digest: DigestState | null = await session.loadDigest(delivery.digestId);
  if (digest === null) return { done: false, refused: `there is no digest ${delivery.digestId} any more` };
  const siblings = await session.deliveriesOfDigest(digest.id);
  const successor = siblings.find(({ fallbackOf }) => fallbackOf === delivery.id);
  if (successor !== undefined)
    return { done: false, refused: `the channel "${successor.channel}" took over, as delivery ${successor.id}` };
  const now = await session.now();
  const work = beginWork(context, session, now);
  const { channel, lastReason, createdAt } = delivery;
  const replacement = replacementOn(channel);
  work.applyDigest(digest, [
    { type: 'DigestRedriven', occurredAt: now, data: { deliveryId: delivery.id, by, replacement } },
  ]);
  const notice = `This message of ${createdAt} could not be sent then (${lastReason ?? 'rejected'}); ${by} has sent it again.`;
  await insertReplacement(session, work, delivery, replacement, notice);
  await session.replaceDelivery(delivery.id, lastReason ?? byHandReason);
  await work.flush();
  await session.updateDelivery(replacement.deliveryId, { state: 'retrying', afterMs: 0, reason: byHandReason });
  return { done: true, deliveryId: replacement.deliveryId, reason: `it is sent again through "${channel}"` };
};
