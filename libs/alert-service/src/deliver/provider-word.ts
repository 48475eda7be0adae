import type { DeliveryOutcome } from '@tocsin/alert-model';
import type { Delivery, ProviderEvent } from '@tocsin/event-store';
import type { ServiceContext, Session } from '../service-context.ts';
import type { UnitOfWork } from '../unit-of-work.ts';
import { cameBackFromAll } from './came-back.ts';

type Accepted = Extract<DeliveryOutcome, { outcome: 'accepted' }>;

/**
 * Settles an attempt of unknown outcome by what the provider said of it since: whatever it reports of an attempt, delivered or
 * bounced, it had accepted it. Answers that as an outcome; null when it said nothing, and then the attempt may be repeated.
 */
export const settleUnknown = async (session: Session, { id }: Delivery): Promise<Accepted | null> => {
  const said = new Set((await session.providerEventsOf(id)).flatMap(({ attemptId }) => attemptId ?? []));
  if (said.size === 0) return null;
  const unknown = (await session.attemptsOf([id])).filter(({ outcome }) => outcome === 'unknown');
  for (const { id: attemptId, providerMessageId } of unknown)
    if (said.has(attemptId) && (await session.settleUnknownAttempt(attemptId, providerMessageId)))
      return { outcome: 'accepted', providerMessageId, status: null };
  return null;
};

/**
 * Carries out what the provider said of an accepted message, now or before it was on record as accepted: attempts that were
 * delivered are confirmed; one that came back from everybody is to go through another channel. Answers how many were confirmed.
 */
export const followWord = async (
  context: ServiceContext,
  session: Session,
  work: UnitOfWork,
  delivery: Delivery,
): Promise<number> => {
  const events = await session.providerEventsOf(delivery.id);
  let confirmed = 0;
  for (const { attemptId, at } of firstDelivered(events))
    if (attemptId !== null && (await session.confirmAttempt(attemptId, at))) confirmed += 1;
  if (cameBackFromAll(context, delivery, events) !== null)
    work.enqueue({ queue: 'deliveries', data: { task: 'bounce', deliveryId: delivery.id } });
  return confirmed;
};

/** The first word of each attempt that it was delivered; an attempt may have a thousand recipients. */
const firstDelivered = (events: readonly ProviderEvent[]): readonly ProviderEvent[] => {
  const first = new Map<string | null, ProviderEvent>();
  for (const event of events) {
    if (event.event !== 'delivered') continue;
    const known = first.get(event.attemptId);
    if (known === undefined || event.at < known.at) first.set(event.attemptId, event);
  }
  return [...first.values()];
};
