import { v5 as uuidv5 } from 'uuid';
import { jobNamespace } from './job-namespace.ts';
import { logDecided } from './log-decided.ts';
import type { ServiceContext, TocsinEnqueue } from './service-context.ts';
import type { DeliveryTask } from './tasks.ts';
import { beginWork } from './unit-of-work.ts';

/** Most overdue items picked up by one sweep; the next sweep goes on. */
export const sweepMax = 200;

/** What a sweep found and set going again. */
export interface Swept {
  readonly digests: number;
  readonly deliveries: number;
  readonly unsettled: number;
}

/**
 * The second net under the queue: looks in our own tables for what should have happened by now and enqueues it again.
 * Every handler looks at what is so before it acts, so a job too many does no harm. In the same transaction the process
 * gives its sign of life: a heartbeat means that this loop turns and the database takes its writes.
 *
 * @param instance name of this process in `tocsin.heartbeats`
 */
export const sweep = (context: ServiceContext, instance: string): Promise<Swept> =>
  context.store.transaction('notifier.sweep', async (session) => {
    await session.beat('notifier', instance, {});
    const digests = await session.dueDigests(sweepMax);
    const deliveries = await session.dueDeliveries(sweepMax);
    const unsettled = await session.unsettledDeliveries(sweepMax);
    const found = { digests: digests.length, deliveries: deliveries.length, unsettled: unsettled.length };
    if (found.digests + found.deliveries + found.unsettled === 0) return found;
    // One extra job per item and minute at most, however often it is seen waiting.
    const minute = (await session.now()).slice(0, 16);
    const again = (data: DeliveryTask, subject: string): TocsinEnqueue => ({
      queue: 'deliveries',
      data,
      id: uuidv5(`sweep ${data.task} ${subject} ${minute}`, jobNamespace),
    });
    await context.queue.enqueue(session.tx, [
      ...digests.map((digestId) => again({ task: 'seal', digestId }, digestId)),
      ...deliveries.map((deliveryId) => again({ task: 'deliver', deliveryId }, deliveryId)),
      ...unsettled.map((deliveryId) => again({ task: 'settle', deliveryId }, deliveryId)),
    ]);
    return found;
  });

/**
 * Puts news back on its way that no channel could carry, or that found no room in a digest. Called far less often than
 * `sweep`: a message that every channel refused is not to be composed again every few seconds.
 */
export const rejoinStrayNews = async (context: ServiceContext): Promise<number> => {
  const ids = await context.store.read((session) => session.alertsWithStrayNews(sweepMax));
  if (ids.length === 0) return 0;
  const decided = await context.store.transaction('notifier.rejoin', async (session) => {
    await session.lockLog();
    const work = beginWork(context, session, await session.now());
    for (const state of await session.loadAlerts(ids)) work.rejoin(state);
    await work.flush();
    return work.decided;
  });
  logDecided(context.log, decided);
  return ids.length;
};
