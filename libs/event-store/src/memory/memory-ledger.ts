import type { DeliveryId } from '@tocsin/alert-model';
import { InvariantError } from '@tocsin/runtime';
import { laterInstant } from '../instant.ts';
import { asStoredJsonb, cleanText } from '../jsonb.ts';
import { deliveriesPerListMax } from '../postgres/list-deliveries.ts';
import type { Delivery, StoreSession } from '../store.ts';
import type { MemoryWork } from './memory-tables.ts';

type Ledger = Pick<
  StoreSession,
  | 'insertDeliveries'
  | 'loadDelivery'
  | 'deliveriesOfDigest'
  | 'threadSubjects'
  | 'dueDeliveries'
  | 'unsettledDeliveries'
  | 'threadRoots'
  | 'listDeliveries'
  | 'claimDelivery'
  | 'beginAttempt'
  | 'recordAttempt'
  | 'updateDelivery'
  | 'releaseDeliveries'
  | 'settleProgress'
  | 'attemptsOf'
>;

/** Deliveries and their attempts, in memory. */
export const memoryLedger = ({ tables, now }: MemoryWork): Ledger => {
  const change = (id: DeliveryId, changes: Partial<Delivery>): Delivery => {
    const delivery = tables.deliveries.get(id);
    if (delivery === undefined) throw new InvariantError(`There is no delivery ${id}.`);
    const changed = { ...delivery, ...changes };
    tables.deliveries.set(id, changed);
    return changed;
  };
  const isDue = ({ nextAttemptAt }: Delivery): boolean => nextAttemptAt !== null && nextAttemptAt <= now();

  return {
    insertDeliveries: async (deliveries) => {
      for (const delivery of asStoredJsonb(deliveries)) {
        if (tables.deliveries.has(delivery.id)) continue;
        if (!tables.digests.has(delivery.digestId))
          throw new InvariantError(`There is no digest ${delivery.digestId} to deliver.`);
        tables.deliveries.set(delivery.id, {
          ...delivery,
          state: 'pending',
          attempts: 0,
          nextAttemptAt: now(),
          lastReason: null,
          providerMessageId: null,
          createdAt: now(),
          acceptedAt: null,
          confirmedAt: null,
          settledCount: 0,
          settledAt: null,
        });
      }
    },
    loadDelivery: async (id) => tables.deliveries.get(id) ?? null,
    // Rows are kept in the order of their making, so wherever Postgres sorts by that there is nothing to do; equal times
    // of a clock that stands still keep that order too.
    deliveriesOfDigest: async (id) => tables.deliveries.rows().filter(({ digestId }) => digestId === id),
    threadSubjects: async (threadIds) => {
      const rows = tables.deliveries.rows();
      return new Map(
        [...new Set(threadIds)].flatMap((threadId) => {
          const first = rows.find((delivery) => delivery.threadId === threadId);
          return first === undefined ? [] : [[threadId, first.message.subject] as const];
        }),
      );
    },
    threadRoots: async (channel, threadIds) => {
      const wanted = new Set<string>(threadIds);
      const accepted = tables.deliveries
        .rows()
        .filter((delivery) => wanted.has(delivery.threadId) && delivery.channel === cleanText(channel))
        .flatMap(({ threadId, acceptedAt, providerMessageId }) =>
          acceptedAt === null || providerMessageId === null ? [] : [{ threadId, acceptedAt, providerMessageId }],
        )
        .sort((a, b) => compare(b.acceptedAt, a.acceptedAt));
      // The first accepted is set last.
      return new Map(accepted.map(({ threadId, providerMessageId }) => [threadId, providerMessageId]));
    },
    listDeliveries: async ({ state, channel, limit }) => {
      const rows = tables.deliveries.rows();
      const taken = new Set(rows.map(({ fallbackOf }) => fallbackOf));
      const wanted = {
        all: () => true,
        waiting: ({ nextAttemptAt }: Delivery) => nextAttemptAt !== null,
        dead: (delivery: Delivery) => delivery.state === 'rejected' && !taken.has(delivery.id),
      };
      return rows
        .filter((delivery) => wanted[state](delivery) && (channel === null || delivery.channel === cleanText(channel)))
        .toReversed()
        .slice(0, Math.min(limit, deliveriesPerListMax));
    },
    dueDeliveries: async (limit) =>
      tables.deliveries
        .rows()
        .filter(isDue)
        .sort((a, b) => compare(a.nextAttemptAt ?? '', b.nextAttemptAt ?? ''))
        .slice(0, limit)
        .map(({ id }) => id),
    unsettledDeliveries: async (limit) =>
      tables.deliveries
        .rows()
        .filter(({ state, settledAt }) => finalStates.has(state) && settledAt === null)
        .slice(0, limit)
        .map(({ id }) => id),

    claimDelivery: async (id, attempt) => {
      const delivery = tables.deliveries.get(id);
      if (delivery === undefined || !isDue(delivery)) return null;
      if (delivery.state === 'attempting') {
        const last = tables.attempts.rows().find((made) => made.deliveryId === id && made.number === delivery.attempts);
        const began = last?.outcome !== 'claimed' && last?.outcome !== 'retry';
        if (last?.endedAt === null) {
          const detail = began
            ? 'The process that made this attempt did not record how it ended.'
            : 'The process that was to make this attempt did not begin it.';
          const outcome = began ? 'unknown' : 'retry';
          tables.attempts.set(last.id, { ...last, outcome, reason: 'crashed', detail, endedAt: now() });
        }
        return { delivery, number: delivery.attempts, abandoned: began ? 'attempting' : 'claimed' };
      }
      const number = delivery.attempts + 1;
      if (tables.attempts.has(attempt.id)) throw new InvariantError(`Attempt ${attempt.id} was made already.`);
      tables.attempts.set(attempt.id, {
        id: attempt.id,
        deliveryId: id,
        number,
        outcome: 'claimed',
        reason: null,
        detail: null,
        status: null,
        providerMessageId: null,
        startedAt: now(),
        endedAt: null,
      });
      const nextAttemptAt = laterInstant(now(), attempt.timeoutMs);
      return {
        delivery: change(id, { state: 'attempting', attempts: number, nextAttemptAt }),
        number,
        abandoned: false,
      };
    },
    beginAttempt: async (attemptId) => {
      const attempt = tables.attempts.get(attemptId);
      if (attempt?.outcome !== 'claimed') return false;
      const delivery = tables.deliveries.get(attempt.deliveryId);
      if (delivery?.state !== 'attempting' || isDue(delivery)) return false;
      tables.attempts.set(attemptId, { ...attempt, outcome: 'attempting' });
      return true;
    },
    recordAttempt: async (attemptId, outcome) => {
      const attempt = tables.attempts.get(attemptId);
      if (attempt?.outcome !== 'claimed' && attempt?.outcome !== 'attempting') return false;
      const accepted = outcome.outcome === 'accepted';
      tables.attempts.set(attemptId, {
        ...attempt,
        outcome: outcome.outcome,
        reason: accepted ? null : outcome.reason,
        detail: accepted ? null : cleanText(outcome.detail),
        status: outcome.status,
        providerMessageId: accepted && outcome.providerMessageId !== null ? cleanText(outcome.providerMessageId) : null,
        endedAt: now(),
      });
      return true;
    },
    updateDelivery: async (id, changed) => {
      const delivery = tables.deliveries.get(id);
      if (delivery === undefined || finalStates.has(delivery.state))
        throw new InvariantError(
          `Delivery ${id} cannot become ${changed.state}: it does not exist or has its final result already.`,
        );
      change(id, {
        state: changed.state,
        nextAttemptAt: 'afterMs' in changed ? laterInstant(now(), changed.afterMs) : null,
        ...('reason' in changed ? { lastReason: cleanText(changed.reason) } : {}),
        ...(changed.state === 'accepted' ? { acceptedAt: now() } : {}),
        ...('providerMessageId' in changed && changed.providerMessageId !== null
          ? { providerMessageId: cleanText(changed.providerMessageId) }
          : {}),
      });
    },
    releaseDeliveries: async (channel, { reasons, unknownRetryMs }, limit) => {
      const word = laterInstant(now(), unknownRetryMs);
      const waits = ({ state, lastReason, nextAttemptAt, ...delivery }: Delivery): boolean =>
        nextAttemptAt !== null &&
        delivery.channel === cleanText(channel) &&
        ((state === 'retrying' && reasons.includes(lastReason ?? '') && nextAttemptAt > now()) ||
          (state === 'unknown' && nextAttemptAt > word));
      return tables.deliveries
        .rows()
        .filter(waits)
        .slice(0, limit)
        .map(({ id, state }) => {
          const released = state === 'retrying' ? 'retrying' : 'unknown';
          change(id, { nextAttemptAt: released === 'retrying' ? now() : word });
          return { id, state: released };
        });
    },
    settleProgress: async (id, from, to, done) => {
      const delivery = tables.deliveries.get(id);
      if (delivery?.settledCount !== from || delivery.settledAt !== null) return false;
      change(id, { settledCount: to, settledAt: done ? now() : null });
      return true;
    },
    attemptsOf: async (deliveryIds) => {
      const wanted = new Set<string>(deliveryIds);
      return tables.attempts
        .rows()
        .filter(({ deliveryId }) => wanted.has(deliveryId))
        .sort((a, b) => compare(a.deliveryId, b.deliveryId) || a.number - b.number);
    },
  };
};

const finalStates: ReadonlySet<Delivery['state']> = new Set<Delivery['state']>(['accepted', 'rejected', 'replaced']);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
