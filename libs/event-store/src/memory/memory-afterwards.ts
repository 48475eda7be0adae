import { inMicroseconds } from '../instant.ts';
import { asStoredJsonb, cleanText } from '../jsonb.ts';
import { eventsPerDeliveryMax } from '../postgres/provider-events-of.ts';
import { oncePerEvent } from '../postgres/record-provider-events.ts';
import type { StoreSession } from '../store.ts';
import type { MemoryWork } from './memory-tables.ts';

type Afterwards = Pick<
  StoreSession,
  | 'lockDeliveryOfAttempt'
  | 'confirmAttempt'
  | 'settleUnknownAttempt'
  | 'replaceDelivery'
  | 'recordProviderEvents'
  | 'providerEventsOf'
>;

/** What becomes of a message after its provider has answered, in memory. */
export const memoryAfterwards = ({ tables }: MemoryWork): Afterwards => ({
  lockDeliveryOfAttempt: async (attemptId) => {
    const attempt = tables.attempts.get(attemptId);
    const delivery = attempt === undefined ? undefined : tables.deliveries.get(attempt.deliveryId);
    return attempt === undefined || delivery === undefined ? null : { delivery, attempt };
  },
  confirmAttempt: async (attemptId, at) => {
    const attempt = tables.attempts.get(attemptId);
    if (attempt?.outcome !== 'accepted') return false;
    tables.attempts.set(attemptId, { ...attempt, outcome: 'confirmed' });
    const delivery = tables.deliveries.get(attempt.deliveryId);
    if (delivery !== undefined)
      tables.deliveries.set(delivery.id, { ...delivery, confirmedAt: delivery.confirmedAt ?? inMicroseconds(at) });
    return true;
  },
  settleUnknownAttempt: async (attemptId, providerMessageId) => {
    const attempt = tables.attempts.get(attemptId);
    if (attempt?.outcome !== 'unknown') return false;
    tables.attempts.set(attemptId, {
      ...attempt,
      outcome: 'accepted',
      reason: null,
      detail: 'The provider said afterwards that it had accepted it.',
      providerMessageId: providerMessageId === null ? attempt.providerMessageId : cleanText(providerMessageId),
    });
    return true;
  },
  replaceDelivery: async (id, reason) => {
    const delivery = tables.deliveries.get(id);
    if (delivery === undefined) return false;
    const taken = tables.deliveries.rows().some(({ fallbackOf }) => fallbackOf === id);
    const cameBack = delivery.state === 'accepted';
    if (!cameBack && !(delivery.state === 'rejected' && taken)) return false;
    tables.deliveries.set(id, {
      ...delivery,
      state: taken ? 'replaced' : 'rejected',
      lastReason: cleanText(reason),
      ...(cameBack ? { settledCount: 0, settledAt: null } : {}),
    });
    return true;
  },
  recordProviderEvents: async (events) => {
    const fresh = oncePerEvent(asStoredJsonb(events)).filter(({ id }) => !tables.providerEvents.has(id));
    const stored = fresh.map((event) => ({ ...event, at: inMicroseconds(event.at) }));
    for (const event of stored) tables.providerEvents.set(event.id, event);
    return stored;
  },
  providerEventsOf: async (deliveryId) =>
    tables.providerEvents
      .rows()
      .filter((event) => event.deliveryId === deliveryId)
      .sort((a, b) => compare(a.at, b.at) || compare(a.id, b.id))
      .slice(0, eventsPerDeliveryMax),
});

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
