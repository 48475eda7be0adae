import { decideNotificationFailed, decideNotified } from '@tocsin/alert-model';
import type { AlertState, Decision, DeliveryId, Instant } from '@tocsin/alert-model';
import type { Delivery } from '@tocsin/event-store';
import { logDecided } from './log-decided.ts';
import type { ServiceContext } from './service-context.ts';
import { beginWork } from './unit-of-work.ts';
import type { Decided } from './unit-of-work.ts';

/** Alerts told of a delivery's outcome per transaction. */
const alertsPerSettleMax = 1_000;
/** Transactions per call: more alerts than one digest can hold. */
const chunksMax = 10_000;

/**
 * Tells every alert of a delivery what became of it: notified, or failed and who takes over. Goes in pieces, each of
 * which records how far it came, so that a crash between them repeats nothing.
 */
export const settleDelivery = async (context: ServiceContext, deliveryId: DeliveryId): Promise<number> => {
  let settled = 0;
  for (let chunk = 0; chunk < chunksMax; chunk += 1) {
    const result = await settleChunk(context, deliveryId);
    settled += result.alerts;
    logDecided(context.log, result.decided);
    if (result.done) return settled;
  }
  return settled;
};

const settleChunk = async (
  context: ServiceContext,
  deliveryId: DeliveryId,
): Promise<{ readonly done: boolean; readonly alerts: number; readonly decided: readonly Decided[] }> =>
  context.store.transaction('notifier.settle', async (session) => {
    await session.lockLog();
    const now = await session.now();
    const delivery = await session.loadDelivery(deliveryId);
    if (delivery === null || delivery.settledAt !== null) return { done: true, alerts: 0, decided: [] };
    if (!['accepted', 'rejected', 'replaced'].includes(delivery.state)) return { done: true, alerts: 0, decided: [] };
    const digest = await session.loadDigest(delivery.digestId);
    const siblings = await session.deliveriesOfDigest(delivery.digestId);
    const replacement = siblings.find(({ fallbackOf }) => fallbackOf === delivery.id);
    // Alerts that another message of the digest has told of, or still may.
    const hopeful = new Set(siblings.filter(({ state }) => state !== 'rejected' && state !== 'replaced').flatMap(({ alertIds }) => alertIds));
    const work = beginWork(context, session, now);
    const ids = delivery.alertIds.slice(delivery.settledCount, delivery.settledCount + alertsPerSettleMax);
    const states = await session.loadAlerts(ids);
    work.load(states);
    const resolved = new Set(delivery.resolvedIds);
    for (const state of states)
      work.apply(
        state.id,
        decide(
          state,
          delivery,
          {
            route: digest?.route ?? '',
            fallback: replacement?.channel ?? null,
            final: !hopeful.has(state.id),
            reportedResolved: resolved.has(state.id),
          },
          now,
        ),
      );
    await work.flush();
    const settledCount = delivery.settledCount + ids.length;
    const done = settledCount >= delivery.alertIds.length;
    await session.settleProgress(deliveryId, settledCount, done);
    return { done, alerts: ids.length, decided: work.decided };
  });

const decide = (
  state: AlertState,
  delivery: Delivery,
  facts: { readonly route: string; readonly fallback: string | null; readonly final: boolean; readonly reportedResolved: boolean },
  now: Instant,
): Decision => {
  const { id, digestId, channel, purpose, threadId } = delivery;
  const { route, fallback, final, reportedResolved } = facts;
  return delivery.state === 'accepted'
    ? decideNotified(
        state,
        { digestId, deliveryId: id, route, purpose, channel, threadId, acceptedAt: delivery.acceptedAt ?? now, reportedResolved },
        now,
      )
    : decideNotificationFailed(
        state,
        { digestId, deliveryId: id, route, channel, reason: delivery.lastReason ?? 'rejected', fallback, final },
        now,
      );
};
