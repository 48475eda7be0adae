import type { DeliveryId } from '@tocsin/alert-model';
import { cameBackFromAll } from './deliver/came-back.ts';
import { fallbackNotice, insertReplacement, nextChannel, replacementOn } from './deliver/fall-back.ts';
import type { ServiceContext } from './service-context.ts';
import { settleDelivery } from './settle-delivery.ts';
import { beginWork } from './unit-of-work.ts';

/**
 * Sends a message that was accepted and came back from every recipient through the next channel, and has its alerts learn of
 * it. First everything that follows from the accept is done, so that whatever the provider said came first, the end is the
 * same. Does nothing when the message did not come back, or was dealt with before.
 *
 * @param beforeChunk see `settleDelivery`
 */
export const bounceDelivery = async (
  context: ServiceContext,
  deliveryId: DeliveryId,
  beforeChunk?: () => Promise<void>,
): Promise<boolean> => {
  await settleDelivery(context, deliveryId, beforeChunk);
  const bounced = await context.store.transaction('notifier.bounce', async (session) => {
    await session.lockLog();
    const delivery = await session.loadDelivery(deliveryId);
    if (delivery?.state !== 'accepted') return null;
    // The job comes back after a pause.
    if (delivery.settledAt === null)
      throw new Error(`Delivery ${deliveryId} is still being settled by another process.`);
    const back = cameBackFromAll(context, delivery, await session.providerEventsOf(deliveryId));
    const digest = await session.loadDigest(delivery.digestId);
    if (back === null || digest === null) return null;
    const { channel } = delivery;
    const { reason, detail, from } = back;
    const now = await session.now();
    const work = beginWork(context, session, now);
    const next = await nextChannel(session, digest, delivery);
    const replacement = next === null ? null : replacementOn(next);
    work.applyDigest(digest, [
      { type: 'DigestBounced', occurredAt: now, data: { deliveryId, channel, reason, fallback: replacement } },
    ]);
    // Inserted first: by it the old one is known to be replaced, and not given up.
    if (replacement !== null) {
      const notice = fallbackNotice({ channel, reason, detail }, replacement.channel);
      await insertReplacement(session, work, delivery, replacement, notice);
    }
    await session.replaceDelivery(deliveryId, reason);
    work.enqueue({ queue: 'deliveries', data: { task: 'settle', deliveryId } });
    await work.flush();
    return { channel, reason, detail, recipients: from.length, fallback: next };
  });
  if (bounced === null) return false;
  context.log.error(
    { decision: 'MessageBounced', deliveryId, ...bounced },
    'a message came back from all of its recipients',
  );
  return true;
};
