import { decideAcknowledge, isAfter } from '@tocsin/alert-model';
import type { AlertState, DeliveryId, Instant } from '@tocsin/alert-model';
import { chunksOf } from './chunks-of.ts';
import { fixLease } from './commands.ts';
import type { LeaseRequest } from './commands.ts';
import { logDecided } from './log-decided.ts';
import type { ServiceContext } from './service-context.ts';
import { beginWork } from './unit-of-work.ts';

/** Alerts acknowledged per transaction. */
const alertsPerChunkMax = 500;
/** Most holders named in an answer. */
const holdersMax = 5;

/** What came of acknowledging everything that a message listed. */
export interface AcknowledgedDelivery {
  readonly found: boolean;
  readonly acknowledged: number;
  /** Somebody had them before; who, at most `holdersMax` names. */
  readonly heldBefore: number;
  readonly heldBy: readonly string[];
  /** Resolved by now, or told as resolved. */
  readonly resolved: number;
  /** They have failed for another reason since: nobody who read this message knows of that. */
  readonly changed: number;
}

/**
 * Somebody takes what a message listed, by its button or its link: the alerts it told as failing, those counted in it
 * included, and nothing else. An alert that has failed since for a reason the message could not list stays open to
 * everybody. Doing it again changes nothing.
 *
 * @param command `lease` defaults to: until the alert fails for another reason
 */
export const acknowledgeDelivery = async (
  context: Pick<ServiceContext, 'store' | 'queue' | 'policy' | 'log'>,
  deliveryId: DeliveryId,
  command: {
    readonly by: string;
    readonly via: string;
    readonly lease?: LeaseRequest;
    readonly note?: string | null;
  },
): Promise<AcknowledgedDelivery> => {
  const delivery = await context.store.read((session) => session.loadDelivery(deliveryId));
  if (delivery === null) return { found: false, acknowledged: 0, heldBefore: 0, heldBy: [], resolved: 0, changed: 0 };
  const told = new Set(delivery.resolvedIds);
  const listed = delivery.alertIds.filter((id) => !told.has(id));
  const composedAt = delivery.message.composedAt as Instant;
  const { by, via, lease = { until: 'signature-change' }, note = null } = command;
  const holders = new Set<string>();
  const sum = { acknowledged: 0, heldBefore: 0, resolved: told.size, changed: 0 };
  for (const ids of chunksOf(listed, alertsPerChunkMax)) {
    // Counted apart, because a transaction may be tried again.
    const piece = await context.store.transaction('notifier.acknowledge', async (session) => {
      await session.lockLog();
      const now = await session.now();
      const work = beginWork(context, session, now);
      const states = await session.loadAlerts(ids);
      work.load(states);
      const open = states.filter(({ state }) => state !== 'resolved');
      const held = open.flatMap(({ acknowledgement }) => acknowledgement?.by ?? []);
      const free = open.filter(({ acknowledgement }) => acknowledgement === null);
      const known = free.filter((state) => !hasNewCause(state, composedAt));
      for (const state of known)
        work.apply(state.id, decideAcknowledge(state, { by, via, lease: fixLease(lease, now), note }, now));
      await work.flush();
      const acknowledged = work.decided.filter(({ decision }) => decision === 'AlertAcknowledged').length;
      return {
        held,
        decided: work.decided,
        counts: { acknowledged, resolved: states.length - open.length, changed: free.length - known.length },
      };
    });
    logDecided(context, piece.decided);
    for (const name of piece.held) holders.add(name);
    sum.heldBefore += piece.held.length;
    sum.acknowledged += piece.counts.acknowledged;
    sum.resolved += piece.counts.resolved;
    sum.changed += piece.counts.changed;
  }
  return { found: true, ...sum, heldBy: [...holders].slice(0, holdersMax) };
};

/** Whether it has failed for a reason that was not known when the message was composed. */
const hasNewCause = ({ causes }: AlertState, composedAt: Instant): boolean =>
  causes.some(({ firstAt }) => isAfter(firstAt, composedAt));
