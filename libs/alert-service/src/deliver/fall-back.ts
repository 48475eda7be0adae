import { randomUUID } from 'node:crypto';
import { DeliveryId } from '@tocsin/alert-model';
import type { DigestState } from '@tocsin/alert-model';
import type { Delivery } from '@tocsin/event-store';
import type { Session } from '../service-context.ts';
import type { UnitOfWork } from '../unit-of-work.ts';

/** Most characters of a provider's own words in a notice. */
const detailCharsMax = 200;

/** A message that takes the place of another one. */
export interface Replacement {
  readonly deliveryId: DeliveryId;
  readonly channel: string;
}

/**
 * The channel that is tried next with a message: the first of the digest's fallback order that carries nothing of the same
 * conversation. null when none is left.
 */
export const nextChannel = async (
  session: Session,
  digest: DigestState,
  { threadId }: Delivery,
): Promise<string | null> => {
  if (digest.fallback.length === 0) return null;
  const siblings = await session.deliveriesOfDigest(digest.id);
  const used = new Set(siblings.filter((one) => one.threadId === threadId).map(({ channel }) => channel));
  return digest.fallback.find((channel) => !used.has(channel)) ?? null;
};

/** Names a replacement that is still to be inserted: the event that tells of it comes first. */
export const replacementOn = (channel: string): Replacement => ({
  deliveryId: DeliveryId.parse(randomUUID()),
  channel,
});

/**
 * Puts the same message on its way once more, on the channel of the replacement, with a notice that says why.
 *
 * The Message-ID stays: whoever gets both sees them once.
 */
export const insertReplacement = async (
  session: Session,
  work: UnitOfWork,
  delivery: Delivery,
  { deliveryId, channel }: Replacement,
  notice: string,
): Promise<void> => {
  await session.insertDeliveries([
    {
      id: deliveryId,
      digestId: delivery.digestId,
      channel,
      purpose: delivery.purpose,
      threadId: delivery.threadId,
      messageId: delivery.messageId,
      alertIds: delivery.alertIds,
      resolvedIds: delivery.resolvedIds,
      message: { ...delivery.message, notices: [...delivery.message.notices, notice] },
      fallbackOf: delivery.id,
    },
  ]);
  work.enqueue({ queue: 'deliveries', data: { task: 'deliver', deliveryId } });
};

/** What the reader must know when a message did not come the usual way. */
export const fallbackNotice = (
  refused: { readonly channel: string; readonly reason: string; readonly detail: string | null },
  channel: string,
): string => {
  const { reason } = refused;
  const detail = refused.detail === null ? '' : `: ${refused.detail.slice(0, detailCharsMax).toWellFormed()}`;
  const cameBack = reason === 'bounced' || reason === 'dropped';
  const what = cameBack
    ? `This message was accepted by the channel "${refused.channel}" and came back (${reason}${detail})`
    : `This message could not be sent through the channel "${refused.channel}" (${reason}${detail})`;
  return `${what}, so it comes through "${channel}". Look after that channel.`;
};
