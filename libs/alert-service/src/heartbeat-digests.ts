import { randomUUID } from 'node:crypto';
import { DeliveryId, DigestId, composeHeartbeat, isAfter, openFragmentOf } from '@tocsin/alert-model';
import type { AlertId, AlertState, DigestMessage, Fragment, Instant, RoutePolicy } from '@tocsin/alert-model';
import type { NewDelivery } from '@tocsin/event-store';
import { previousDue } from '@tocsin/runtime';
import type { ServiceContext, Session } from './service-context.ts';
import { beginWork } from './unit-of-work.ts';

/** Open alerts read at a time, and how often: what each has to say is kept, the rest is let go. */
const alertsPerLoadMax = 500;
const loadsMax = 400;

/** A route with an "all quiet" message. */
type QuietRoute = RoutePolicy & { readonly allQuiet: NonNullable<RoutePolicy['allQuiet']> };

/**
 * Sends the regular "all quiet, N open" message of every route whose time has come since the last one. A route that has
 * news on its way is not quiet: its next message says more. After an interruption only the latest time counts. Called
 * every now and then; one process of several sends. Answers the routes it sent to.
 */
export const tellAllQuiet = async (context: ServiceContext): Promise<readonly string[]> => {
  const routes = context.policy.routes.filter((route): route is QuietRoute => route.allQuiet !== null);
  const told: string[] = [];
  for (const route of routes) {
    const isDue = await context.store.read(
      async (session) => (await dueOf(session, route, await session.now())) !== null,
    );
    if (isDue && (await tellRoute(context, route))) told.push(route.name);
  }
  return told;
};

const cursorOf = ({ name }: RoutePolicy): string => `all-quiet/${name}`;

/** The time that is due and was not dealt with; null when there is none. A route that is new begins with its next time. */
const dueOf = async (
  session: Pick<Session, 'loadCursor'>,
  route: QuietRoute,
  now: Instant,
): Promise<{ readonly at: Instant; readonly isNew: boolean } | null> => {
  const { cron, timeZone } = route.allQuiet;
  const cursor = await session.loadCursor(cursorOf(route));
  // A changed expression begins anew as well: its past times were never promised.
  if (cursor === null || cursor.data['cron'] !== cron || cursor.data['timeZone'] !== timeZone)
    return { at: now, isNew: true };
  const at = previousDue(cron, timeZone, now);
  return at !== null && isAfter(at, cursor.changedAt) ? { at, isNew: false } : null;
};

const tellRoute = async (context: ServiceContext, route: QuietRoute): Promise<boolean> => {
  const deliveries = await context.store.transaction('notifier.all_quiet', async (session) => {
    await session.lockLog();
    const now = await session.now();
    const due = await dueOf(session, route, now);
    if (due === null) return [];
    const { cron, timeZone } = route.allQuiet;
    await session.saveCursor(cursorOf(route), due.at, { cron, timeZone });
    const hasNews = (await session.loadOpenDigests()).some((digest) => digest.route === route.name);
    return due.isNew || hasNews ? [] : seal(context, session, route, now);
  });
  if (deliveries.length === 0) return false;
  context.log.info(
    { decision: 'AllQuietTold', route: route.name, deliveries: deliveries.length },
    'all quiet, as asked for',
  );
  return true;
};

/** Opens and seals the digest at once: there is nothing to gather. It names no alert that has to learn of its outcome. */
const seal = async (
  context: ServiceContext,
  session: Session,
  route: QuietRoute,
  now: Instant,
): Promise<readonly NewDelivery[]> => {
  const digestId = DigestId.parse(randomUUID());
  const { adminUrl, publicUrl } = context.settings;
  const message = composeHeartbeat(
    { id: digestId, route: route.name },
    { open: await openFragments(session, route.name), itemsMax: route.itemsMax, adminUrl, publicUrl, now },
  );
  const deliveries = route.channels.map((channel) => deliveryOf(digestId, channel, message));
  const work = beginWork(context, session, now);
  const { channels, fallback, name } = route;
  work.applyDigest(null, [
    {
      type: 'DigestOpened',
      occurredAt: now,
      data: {
        digestId,
        route: name,
        purpose: 'heartbeat',
        channels: [...channels],
        fallback: [...fallback],
        dueAt: now,
        storm: null,
      },
    },
    {
      type: 'DigestSealed',
      occurredAt: now,
      data: {
        alerts: 0,
        deliveries: deliveries.map(({ id, channel, threadId }) => ({ deliveryId: id, channel, threadId, alerts: 0 })),
      },
    },
  ]);
  work.enqueue(
    ...deliveries.map(({ id }) => ({ queue: 'deliveries', data: { task: 'deliver', deliveryId: id } }) as const),
  );
  // The digest's row first: the deliveries refer to it.
  await work.flush();
  await session.insertDeliveries(deliveries);
  return deliveries;
};

const openFragments = async (session: Session, route: string): Promise<readonly Fragment[]> => {
  const fragments: Fragment[] = [];
  for (let after: AlertId | null = null, load = 0; load < loadsMax; load += 1) {
    const states: readonly AlertState[] = await session.openAlerts(after, alertsPerLoadMax);
    for (const state of states) {
      const fragment = openFragmentOf(state, route);
      if (fragment !== null) fragments.push(fragment);
    }
    after = states.at(-1)?.id ?? null;
    if (states.length < alertsPerLoadMax) break;
  }
  return fragments;
};

const deliveryOf = (digestId: DigestId, channel: string, message: DigestMessage): NewDelivery => ({
  id: DeliveryId.parse(randomUUID()),
  digestId,
  channel,
  purpose: 'heartbeat',
  threadId: digestId,
  messageId: digestId,
  alertIds: [],
  resolvedIds: [],
  message,
  fallbackOf: null,
});
