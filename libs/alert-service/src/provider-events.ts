import type { DeliveryId } from '@tocsin/alert-model';
import type { DeliveryAttempt, ProviderEvent } from '@tocsin/event-store';
import { z } from 'zod';
import { accept } from './deliver/follow-outcome.ts';
import { followWord, settleUnknown } from './deliver/provider-word.ts';
import type { ServiceContext, Session } from './service-context.ts';
import { beginWork } from './unit-of-work.ts';

/** Most events taken in by one transaction. */
const eventsPerTransactionMax = 500;

/** What became of one call of a provider. */
export interface SettledProviderEvents {
  /** About attempts of ours, and not known before. */
  readonly fresh: number;
  /** Known before: providers repeat themselves. */
  readonly duplicates: number;
  /** About no attempt of ours: another sender of the same account, or somebody's invention. */
  readonly foreign: number;
  /** Attempts of unknown outcome that are known now to have been accepted. */
  readonly settled: number;
  readonly confirmed: number;
}

/**
 * Takes in what a provider says of messages afterwards. Whoever calls has verified that it is the provider.
 *
 * Whatever it reports of an attempt, it had accepted it: an attempt of unknown outcome is settled by that, and not repeated. What
 * was delivered is confirmed. What came back from all its recipients goes through the next channel (`bounceDelivery`). The same events may come any
 * number of times and in any order, also before we have written down how the attempt ended: what they lead to is the same.
 */
export const settleProviderEvents = async (
  context: ServiceContext,
  events: readonly ProviderEvent[],
): Promise<SettledProviderEvents> => {
  let sum: SettledProviderEvents = { fresh: 0, duplicates: 0, foreign: 0, settled: 0, confirmed: 0 };
  for (let at = 0; at < events.length; at += eventsPerTransactionMax)
    sum = add(sum, await settleSome(context, events.slice(at, at + eventsPerTransactionMax)));
  if (sum.fresh > 0) context.log.info({ decision: 'ProviderEventsSettled', ...sum }, 'provider events taken in');
  else context.log.debug({ decision: 'ProviderEventsSettled', ...sum }, 'no news from the provider');
  return sum;
};

const settleSome = (context: ServiceContext, events: readonly ProviderEvent[]): Promise<SettledProviderEvents> =>
  context.store.transaction('notifier.provider_events', async (session) => {
    await session.lockLog();
    const ours = await ofOurs(session, events);
    const fresh = await session.recordProviderEvents(ours);
    const sum = { settled: 0, confirmed: 0 };
    const attemptOf = new Map(fresh.map(({ deliveryId, attemptId }) => [deliveryId, attemptId ?? '']));
    for (const attemptId of attemptOf.values()) {
      const became = await settleByWord(context, session, attemptId);
      sum.settled += became.settled ? 1 : 0;
      sum.confirmed += became.confirmed;
    }
    const duplicates = ours.length - fresh.length;
    return { fresh: fresh.length, duplicates, foreign: events.length - ours.length, ...sum };
  });

const Ids = z.object({ attemptId: z.uuid(), deliveryId: z.uuid() });

/** Those that name an attempt of ours and its own delivery. */
const ofOurs = async (session: Session, events: readonly ProviderEvent[]): Promise<readonly ProviderEvent[]> => {
  const named = events.filter((event) => Ids.safeParse(event).success);
  const deliveryIds = [...new Set(named.map((event) => event.deliveryId as DeliveryId))];
  const attempts = deliveryIds.length === 0 ? [] : await session.attemptsOf(deliveryIds);
  const deliveryOf = new Map(attempts.map((attempt: DeliveryAttempt) => [attempt.id, attempt.deliveryId]));
  return named.filter((event) => deliveryOf.get(event.attemptId ?? '') === event.deliveryId);
};

interface Became {
  readonly settled: boolean;
  readonly confirmed: number;
}

const settleByWord = async (context: ServiceContext, session: Session, attemptId: string): Promise<Became> => {
  const locked = await session.lockDeliveryOfAttempt(attemptId);
  if (locked === null) return { settled: false, confirmed: 0 };
  const { delivery } = locked;
  const now = await session.now();
  const work = beginWork(context, session, now);
  let settled = false;
  let confirmed = 0;
  // While an attempt is under way, its end decides; it looks for what was said here. See `followOutcome`.
  if (delivery.state === 'accepted') confirmed = await followWord(context, session, work, delivery);
  else if (delivery.state === 'unknown' || delivery.state === 'retrying') {
    const digest = await session.loadDigest(delivery.digestId);
    const word = digest === null ? null : await settleUnknown(session, delivery);
    if (digest !== null && word !== null) {
      confirmed = await accept(context, session, work, digest, delivery, delivery.attempts, word, now);
      settled = true;
    }
  }
  await work.flush();
  return { settled, confirmed };
};

const add = (a: SettledProviderEvents, b: SettledProviderEvents): SettledProviderEvents => ({
  fresh: a.fresh + b.fresh,
  duplicates: a.duplicates + b.duplicates,
  foreign: a.foreign + b.foreign,
  settled: a.settled + b.settled,
  confirmed: a.confirmed + b.confirmed,
});
