import { decideBounced, decideNotificationFailed, decideNotified } from '@tocsin/alert-model';
import type { AlertId, AlertState, Decision, DeliveryId, Instant } from '@tocsin/alert-model';
import type { Delivery } from '@tocsin/event-store';
import { logDecided } from './log-decided.ts';
import type { ServiceContext } from './service-context.ts';
import { beginWork } from './unit-of-work.ts';
import type { Decided } from './unit-of-work.ts';

/** Alerts told of a delivery's outcome per transaction. */
const alertsPerSettleMax = 500;
/** How often a run begins again because another process settles the same delivery. */
const restartsMax = 10;

/** What settling needs to know of the delivery; loaded once, because a storm's delivery names thousands of alerts. */
interface Facts {
  readonly delivery: Delivery;
  readonly route: string;
  readonly fallback: string | null;
  readonly resolved: ReadonlySet<AlertId>;
  /** Alerts that another message of the digest has told of, or still may. */
  readonly hopeful: ReadonlySet<AlertId>;
}

/**
 * Tells every alert of a delivery what became of it: notified; or failed, or accepted and come back, and who takes over. Goes in pieces, each of
 * which records how far it came, so that a crash between them repeats nothing, and neither does a second process.
 *
 * @param beforeChunk awaited before each piece; lets more urgent work go first
 */
export const settleDelivery = async (
  context: ServiceContext,
  deliveryId: DeliveryId,
  beforeChunk: () => Promise<void> = async () => {},
): Promise<number> => {
  let settled = 0;
  for (let start = 0; start < restartsMax; start += 1) {
    const facts = await loadFacts(context, deliveryId);
    if (facts === null) return settled;
    const { alertIds, settledCount } = facts.delivery;
    for (let from = settledCount; ; from += alertsPerSettleMax) {
      await beforeChunk();
      const decided = await settleChunk(context, facts, from);
      // Somebody else went on meanwhile: look again where that is.
      if (decided === null) break;
      logDecided(context, decided);
      settled += Math.min(alertsPerSettleMax, alertIds.length - from);
      if (from + alertsPerSettleMax >= alertIds.length) return settled;
    }
  }
  return settled;
};

const loadFacts = (context: ServiceContext, deliveryId: DeliveryId): Promise<Facts | null> =>
  context.store.read(async (session) => {
    const delivery = await session.loadDelivery(deliveryId);
    if (delivery === null || delivery.settledAt !== null || !settleable.has(delivery.state)) return null;
    const digest = await session.loadDigest(delivery.digestId);
    const siblings = await session.deliveriesOfDigest(delivery.digestId);
    return {
      delivery,
      route: digest?.route ?? '',
      fallback: siblings.find(({ fallbackOf }) => fallbackOf === delivery.id)?.channel ?? null,
      resolved: new Set(delivery.resolvedIds),
      hopeful: new Set(
        siblings
          .filter(({ state }) => state !== 'rejected' && state !== 'replaced')
          .flatMap(({ alertIds }) => alertIds),
      ),
    };
  });

const settleable: ReadonlySet<Delivery['state']> = new Set(['accepted', 'rejected', 'replaced']);

const settleChunk = async (context: ServiceContext, facts: Facts, from: number): Promise<readonly Decided[] | null> =>
  context.store.transaction('notifier.settle', async (session) => {
    await session.lockLog();
    const { delivery } = facts;
    // What was accepted may have come back meanwhile: then its other alerts are told that, and not that it was accepted.
    if ((await session.loadDelivery(delivery.id))?.state !== delivery.state) return null;
    const ids = delivery.alertIds.slice(from, from + alertsPerSettleMax);
    const to = from + ids.length;
    if (!(await session.settleProgress(delivery.id, from, to, to >= delivery.alertIds.length))) return null;
    const now = await session.now();
    const work = beginWork(context, session, now);
    const states = await session.loadAlerts(ids);
    work.load(states);
    for (const state of states) work.apply(state.id, decide(state, facts, now));
    await work.flush();
    return work.decided;
  });

const decide = (state: AlertState, { delivery, route, fallback, resolved, hopeful }: Facts, now: Instant): Decision => {
  const { id, digestId, channel, purpose, threadId } = delivery;
  if (delivery.state === 'accepted') {
    const acceptedAt = delivery.acceptedAt ?? now;
    const reportedResolved = resolved.has(state.id);
    return decideNotified(
      state,
      { digestId, deliveryId: id, route, purpose, channel, threadId, acceptedAt, reportedResolved },
      now,
    );
  }
  const reason = delivery.lastReason ?? 'rejected';
  if (delivery.acceptedAt !== null)
    return decideBounced(state, { digestId, deliveryId: id, route, channel, reason, fallback }, now);
  const final = !hopeful.has(state.id);
  return decideNotificationFailed(state, { digestId, deliveryId: id, route, channel, reason, fallback, final }, now);
};
