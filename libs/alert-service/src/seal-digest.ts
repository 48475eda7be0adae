import { randomUUID } from 'node:crypto';
import {
  DeliveryId,
  alertStream,
  addMs,
  composeMessage,
  fragmentOf,
  isAfter,
  planMessages,
  sampleKey,
  stormGatherMaxMs,
  stormGatherMs,
} from '@tocsin/alert-model';
import type {
  AlertId,
  DigestId,
  DigestState,
  EventNamed,
  Fragment,
  Instant,
  PlannedMessage,
  Sample,
} from '@tocsin/alert-model';
import type { NewDelivery } from '@tocsin/event-store';
import { chunksOf } from './chunks-of.ts';
import { actionGraceMs, attemptGraceMs } from './audit.ts';
import type { ServiceContext, Session, TocsinEnqueue } from './service-context.ts';
import { beginWork } from './unit-of-work.ts';

/** Alerts loaded at a time while a digest is composed: what each has to say is kept, the rest is let go. */
const alertsPerLoadMax = 500;

/** What sealing came to; `early` names the time to come back. */
export type Sealed =
  | {
      readonly sealed: true;
      readonly deliveries: number;
      readonly alerts: number;
      readonly route: string;
      readonly purpose: DigestState['purpose'];
    }
  | { readonly sealed: false; readonly reason: string };

/**
 * Closes the window of a digest: composes its messages and hands them to delivery, in one transaction. Does nothing
 * for a digest that is already sealed; puts off one whose time has not come.
 */
export const sealDigest = async (context: ServiceContext, digestId: DigestId): Promise<Sealed> => {
  const result = await context.store.transaction('notifier.seal', async (session): Promise<Sealed> => {
    await session.lockLog();
    const now = await session.now();
    const digest = await session.loadDigest(digestId);
    if (digest === null) return { sealed: false, reason: 'there is no such digest' };
    if (digest.state !== 'open') return { sealed: false, reason: `it is ${digest.state}` };
    const work = beginWork(context, session, now);
    if (isAfter(digest.dueAt, now)) {
      work.enqueue({ queue: 'timers', data: { timer: 'digest', digestId }, startAfter: digest.dueAt });
      await work.flush();
      return { sealed: false, reason: `it is due at ${digest.dueAt}` };
    }
    if (await isGathering(session, digest, now)) {
      const startAfter = addMs(now, stormGatherMs);
      work.enqueue({ queue: 'timers', data: { timer: 'digest', digestId }, startAfter });
      await work.flush();
      return { sealed: false, reason: 'its storm is still rising' };
    }
    const fragments = await collect(session, digestId);
    const itemsMax = context.policy.routes.find(({ name }) => name === digest.route)?.itemsMax;
    const plans = planMessages(digest, fragments, itemsMax);
    const deliveries = await compose(context, session, digest, plans, fragments, now);
    await session.insertDeliveries(deliveries);
    work.applyDigest(digest, [sealedEvent(deliveries, now)]);
    work.enqueue(
      ...deliveries.map(({ id }): TocsinEnqueue => ({
        queue: 'deliveries',
        data: { task: 'deliver', deliveryId: id },
      })),
    );
    await work.flush();
    return {
      sealed: true,
      deliveries: deliveries.length,
      alerts: new Set(deliveries.flatMap(({ alertIds }) => alertIds)).size,
      route: digest.route,
      purpose: digest.purpose,
    };
  });
  if (result.sealed) {
    context.observer?.sealed(result);
    context.log.info(
      { decision: 'DigestSealed', digestId, deliveries: result.deliveries, alerts: result.alerts },
      'digest sealed',
    );
  } else context.log.debug({ decision: 'DigestNotSealed', digestId, reason: result.reason }, 'digest not sealed');
  return result;
};

/**
 * The message of a storm waits while new alerts open, and while failures that were announced are not decided on in time, for a
 * while: five thousand of them are to be one message, however slowly they are taken in.
 */
const isGathering = async (session: Session, { purpose, openedAt }: DigestState, now: Instant): Promise<boolean> => {
  if (purpose !== 'storm' || !isAfter(addMs(openedAt, stormGatherMaxMs), now)) return false;
  const last = await session.lastOpenedAt();
  if (last !== null && isAfter(addMs(last, stormGatherMs), now)) return true;
  const { oldestUnaccountedMs } = await session.audit({ actionGraceMs, attemptGraceMs });
  return oldestUnaccountedMs !== null && oldestUnaccountedMs > stormGatherMs;
};

const collect = async (session: Session, digestId: DigestId): Promise<readonly Fragment[]> => {
  const fragments: Fragment[] = [];
  for (const ids of chunksOf(await session.alertsOfDigest(digestId), alertsPerLoadMax))
    for (const state of await session.loadAlerts(ids)) {
      const fragment = fragmentOf(state, digestId);
      if (fragment !== null) fragments.push(fragment);
    }
  return fragments;
};

const compose = async (
  context: ServiceContext,
  session: Session,
  digest: DigestState,
  plans: readonly PlannedMessage[],
  fragments: readonly Fragment[],
  now: Instant,
): Promise<readonly NewDelivery[]> => {
  if (plans.length === 0) return [];
  const samples = await loadSamples(session, plans);
  const subjects = await session.threadSubjects(plans.filter((plan) => plan.followUp).map((plan) => plan.threadId));
  const openAlerts = await session.countOpenAlerts();
  const openInThreads = await countOpenInThreads(session, plans, fragments);
  return plans.map((plan): NewDelivery => {
    const told = plan.alertIds.length - plan.resolvedIds.length;
    const message = composeMessage(digest, plan, {
      samples,
      threadSubject: plan.followUp ? (subjects.get(plan.threadId) ?? null) : null,
      adminUrl: context.settings.adminUrl,
      publicUrl: context.settings.publicUrl,
      stillOpen: Math.max(0, openAlerts - told),
      openInThread: openInThreads.get(plan.threadId) ?? 0,
      now,
    });
    const id = DeliveryId.parse(randomUUID());
    return {
      id,
      digestId: digest.id,
      channel: plan.channel,
      purpose: digest.purpose,
      threadId: plan.threadId,
      // The first message of a thread is its root: later ones refer to it.
      messageId: plan.followUp ? id : plan.threadId,
      alertIds: plan.alertIds,
      resolvedIds: plan.resolvedIds,
      message,
      fallbackOf: null,
    };
  });
};

/** Open alerts told before in the conversations that are continued, beside those that these messages tell of. */
const countOpenInThreads = async (
  session: Session,
  plans: readonly PlannedMessage[],
  fragments: readonly Fragment[],
): Promise<ReadonlyMap<DigestId, number>> => {
  const counts = new Map<DigestId, number>();
  for (const { followUp, threadId } of plans) {
    // A digest continues a handful of conversations at most; see `threadsPerDigestMax`.
    if (!followUp || counts.has(threadId)) continue;
    const mine = fragments.filter(
      ({ resolution, told }) => resolution === null && told.some((one) => one.threadId === threadId),
    );
    counts.set(threadId, Math.max(0, (await session.countOpenInThread(threadId)) - mine.length));
  }
  return counts;
};

const loadSamples = async (
  session: Session,
  plans: readonly PlannedMessage[],
): Promise<ReadonlyMap<string, Sample>> => {
  const wanted = new Map<string, { alertId: AlertId; version: number }>();
  for (const plan of plans)
    for (const item of plan.items) for (const ref of item.samples) wanted.set(sampleKey(ref), ref);
  const refs = [...wanted.values()].map(({ alertId, version }) => ({ streamId: alertStream(alertId), version }));
  const stored = refs.length === 0 ? [] : await session.loadEventsAt(refs);
  return new Map(
    stored.flatMap(({ event, version }) =>
      event.type === 'FailureDetected'
        ? [[sampleKey({ alertId: event.data.alertId, version }), event.data] as const]
        : [],
    ),
  );
};

const sealedEvent = (deliveries: readonly NewDelivery[], now: Instant): EventNamed<'DigestSealed'> => ({
  type: 'DigestSealed',
  occurredAt: now,
  data: {
    alerts: new Set(deliveries.flatMap(({ alertIds }) => alertIds)).size,
    deliveries: deliveries.map(({ id, channel, threadId, alertIds }) => ({
      deliveryId: id,
      channel,
      threadId,
      alerts: alertIds.length,
    })),
  },
});
