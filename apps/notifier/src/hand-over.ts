import type { DeliveryId } from '@tocsin/alert-model';
import type { ServiceContext, TocsinEnqueue } from '@tocsin/alert-service';

/**
 * The time of a delivery has come: gives it to those who deliver, so that no timer waits for a provider. One that has ended
 * since is left alone.
 */
export const handOver = async (
  { store, queue }: Pick<ServiceContext, 'store' | 'queue'>,
  deliveryIds: readonly DeliveryId[],
): Promise<void> => {
  const waiting = await store.read(async (session) => {
    const [only, ...others] = deliveryIds;
    // Of several, all were due a moment ago; to look at one spares most timers, which ask whether an attempt was abandoned.
    if (only === undefined || others.length > 0) return deliveryIds;
    return (await session.loadDelivery(only))?.nextAttemptAt === null ? [] : deliveryIds;
  });
  if (waiting.length === 0) return;
  await store.transaction('notifier.hand_over', (session) =>
    queue.enqueue(
      session.tx,
      waiting.map((deliveryId): TocsinEnqueue => ({ queue: 'deliveries', data: { task: 'deliver', deliveryId } })),
    ),
  );
};
