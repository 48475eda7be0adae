import type { AlertState, NextAction } from '@tocsin/alert-model';
import { inMicroseconds, laterInstant } from '../instant.ts';
import { auditMax } from '../postgres/audit.ts';
import { digestsLookedAtMax } from '../postgres/overdue-alerts.ts';
import type { Delivery, StoreSession } from '../store.ts';
import { silencesToCarryOut } from './memory-silences.ts';
import type { MemoryTables, MemoryWork } from './memory-tables.ts';

type Watch = Pick<
  StoreSession,
  | 'openAlerts'
  | 'keysOpenedSince'
  | 'lastOpenedAt'
  | 'stormDigestsSince'
  | 'overdueAlerts'
  | 'alertsOfOlderModel'
  | 'audit'
  | 'countOpenOf'
  | 'countOpenInThread'
  | 'newestBeats'
>;

/** What the notifier asks about everything at once, in memory. */
export const memoryWatch = ({ tables, now }: MemoryWork): Watch => {
  const isOpen = (id: string): boolean => (tables.alerts.get(id)?.state ?? 'resolved') !== 'resolved';
  return {
    openAlerts: async (after, limit) =>
      tables.alerts
        .rows()
        .filter(({ id, state }) => state !== 'resolved' && (after === null || id > after))
        .sort((a, b) => compare(a.id, b.id))
        .slice(0, limit),
    keysOpenedSince: async (since, limit) => {
      const counted = tables.alerts
        .rows()
        .map(({ source, openedAt }) => ({ source, openedAt: inMicroseconds(openedAt) }))
        .filter(({ openedAt }) => openedAt >= inMicroseconds(since))
        .sort((a, b) => compare(b.openedAt, a.openedAt))
        .slice(0, limit);
      return new Map([...Map.groupBy(counted, ({ source }) => source)].map(([source, all]) => [source, all.length]));
    },
    lastOpenedAt: async () =>
      tables.alerts
        .rows()
        .map(({ openedAt }) => inMicroseconds(openedAt))
        .sort(compare)
        .at(-1) ?? null,
    stormDigestsSince: async (since) => {
      const sealed = tables.digests
        .rows()
        .flatMap((digest) =>
          digest.purpose === 'storm' && digest.sealedAt !== null && digest.state !== 'empty'
            ? [{ digest, sealedAt: inMicroseconds(digest.sealedAt) }]
            : [],
        )
        .filter(({ sealedAt }) => sealedAt >= inMicroseconds(since))
        .sort((a, b) => compare(b.sealedAt, a.sealedAt) || compare(a.digest.id, b.digest.id));
      const byRoute = Map.groupBy(sealed, ({ digest }) => digest.route);
      return [...byRoute]
        .sort(([a], [b]) => compare(a, b))
        .flatMap(([, [newest]]) => (newest === undefined ? [] : [newest.digest]));
    },
    overdueAlerts: async (graceMs, limit) => alertsOnNoWay(tables, now(), graceMs, limit).slice(0, limit),
    // What is in memory was written by the running model.
    alertsOfOlderModel: async () => [],
    audit: async ({ actionGraceMs, attemptGraceMs }) => {
      const unaccounted = tables.outcomes
        .rows()
        .filter(({ disposition }) => disposition === null)
        .map(({ signalledAt }) => signalledAt)
        .sort(compare);
      const attemptsBefore = laterInstant(now(), -attemptGraceMs);
      return {
        overdueAlerts: Math.min(auditMax, alertsOnNoWay(tables, now(), actionGraceMs, auditMax).length),
        staleAttempts: atMost(
          tables.attempts.rows().filter(({ endedAt, startedAt }) => endedAt === null && startedAt <= attemptsBefore),
        ),
        unaccounted: atMost(unaccounted),
        oldestUnaccountedMs:
          unaccounted[0] === undefined ? null : Math.max(0, Date.parse(now()) - Date.parse(unaccounted[0])),
        overdueSilences: atMost(silencesToCarryOut(tables, now(), actionGraceMs)),
        quarantined: Math.min(auditMax, tables.quarantine.size()),
        untold: atMost(
          tables.alerts
            .rows()
            .filter(
              ({ state, told, failedDeliveries }) => !answered.has(state) && told.length === 0 && failedDeliveries > 0,
            ),
        ),
        parkedChannels: tables.channels
          .rows()
          .flatMap(({ channel, parkedAt }) => (parkedAt === null ? [] : [channel]))
          .sort(compare),
      };
    },
    countOpenOf: async (ids) => new Set(ids.filter(isOpen)).size,
    countOpenInThread: async (threadId) =>
      new Set(
        tables.deliveries
          .rows()
          .filter((delivery) => delivery.threadId === threadId && delivery.state === 'accepted')
          .flatMap(({ alertIds }) => alertIds.filter(isOpen)),
      ).size,
    newestBeats: async () => {
      const beats = tables.heartbeats
        .rows()
        .toSorted((a, b) => compare(a.beatAt, b.beatAt) || compare(b.instance, a.instance));
      // The newest is set last.
      return new Map(
        beats.map(({ component, instance, beatAt, data }) => [
          component,
          { instance, ageMs: Math.max(0, Date.parse(now()) - Date.parse(beatAt)), data },
        ]),
      );
    },
  };
};

/** Alerts whose next action is overdue and on its way nowhere; see the statement of the same name. */
const alertsOnNoWay = (
  tables: Pick<MemoryTables, 'alerts' | 'digests' | 'deliveries'>,
  now: string,
  graceMs: number,
  limit: number,
): readonly { readonly id: AlertState['id']; readonly action: NextAction['action']; readonly at: string }[] => {
  const latest = laterInstant(now, -graceMs);
  const moving = new Set<string>([
    ...tables.digests
      .rows()
      .flatMap(({ id, state, dueAt }) => (state === 'open' && inMicroseconds(dueAt) > latest ? [id] : [])),
    ...tables.deliveries
      .rows()
      .filter(isMoving(latest))
      .map(({ digestId }) => digestId),
  ]);
  const overdue = tables.alerts
    .rows()
    .flatMap(({ id, next, batches }) => {
      const at = next.at === null ? null : inMicroseconds(next.at);
      return at === null || at > latest ? [] : [{ id, action: next.action, at, digests: Object.keys(batches) }];
    })
    .sort((a, b) => compare(a.at, b.at) || compare(a.id, b.id));
  const clocks = overdue.filter(({ action }) => action !== 'digest').slice(0, limit);
  const stuck = overdue
    .filter(({ action }) => action === 'digest')
    .slice(0, digestsLookedAtMax)
    .filter(({ digests }) => !digests.some((digest) => moving.has(digest)))
    .slice(0, limit);
  return [...clocks, ...stuck]
    .sort((a, b) => compare(a.at, b.at) || compare(a.id, b.id))
    .map(({ id, action, at }) => ({ id, action, at }));
};

const isMoving =
  (latest: string) =>
  ({ state, nextAttemptAt, settledAt }: Delivery): boolean =>
    nextAttemptAt === null
      ? settledAt === null && (state === 'accepted' || state === 'rejected' || state === 'replaced')
      : nextAttemptAt > latest;

/** Somebody knows of these. */
const answered: ReadonlySet<AlertState['state']> = new Set<AlertState['state']>(['acknowledged', 'resolved']);

const atMost = (rows: readonly unknown[]): number => Math.min(auditMax, rows.length);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
