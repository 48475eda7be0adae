import type { Queryable } from '@tocsin/runtime';
import { expect } from 'vitest';
import type { AcceptedByProvider } from './ledger.ts';

/** What one provider got, against what the ledger says. */
export interface Copies {
  /** Messages that the ledger calls accepted. */
  readonly messages: number;
  /** What the provider took, repetitions included. */
  readonly copies: number;
  /** Copies beyond the first of each message. */
  readonly repetitions: number;
  /** Attempts on record as unknown. */
  readonly unknown: number;
}

interface Row {
  readonly id: string;
  readonly channel: string;
  readonly messageId: string;
  readonly state: string;
  readonly outcomes: readonly string[];
}

/** Channels whose provider is told the identity of the delivery, which the others know by their Message-ID. */
const byDelivery: ReadonlySet<string> = new Set(['chat', 'hook']);

/**
 * Compares what every provider took with the ledger, message by message: as many copies as attempts were accepted, and at
 * most one more for each attempt of unknown outcome. Fails when a provider misses a message or has one too many.
 *
 * @param accepted what the providers took; see `Providers.accepted`
 */
export const expectCopies = async (
  queryable: Queryable,
  accepted: readonly Required<AcceptedByProvider>[],
): Promise<Readonly<Record<string, Copies>>> => {
  const { rows } = await queryable.query<Row>(
    `select
       deliveries.id,
       deliveries.channel,
       deliveries.message_id as "messageId",
       deliveries.state,
       coalesce(array_agg(attempt.outcome order by attempt.number) filter (where attempt.id is not null), '{}') as outcomes
     from tocsin.deliveries
     left join tocsin.delivery_attempts as attempt on attempt.delivery_id = deliveries.id
     group by deliveries.id`,
  );
  expect(
    rows.filter(({ outcomes }) => outcomes.some((outcome) => outcome === 'claimed' || outcome === 'attempting')),
    'attempts without an end',
  ).toEqual([]);
  // A message that somebody sent again is another delivery with the same Message-ID.
  const messages = Map.groupBy(rows, ({ channel, id, messageId }) =>
    nameOf(channel, byDelivery.has(channel) ? id : messageId),
  );
  const copies = new Map<string, number>();
  for (const { channel, messageId } of accepted) {
    const name = nameOf(channel, messageId.replace(/^<|>$/g, '').replace(/@[^@]*$/, ''));
    copies.set(name, (copies.get(name) ?? 0) + 1);
  }
  expect(
    [...copies.keys()].filter((name) => !messages.has(name)),
    'what no delivery tells of',
  ).toEqual([]);
  const sums = new Map<string, Copies>();
  for (const [name, deliveries] of messages) {
    const outcomes = deliveries.flatMap((delivery) => delivery.outcomes);
    const taken = outcomes.filter((outcome) => outcome === 'accepted' || outcome === 'confirmed').length;
    const unknown = outcomes.filter((outcome) => outcome === 'unknown').length;
    const received = copies.get(name) ?? 0;
    const what = `${name} (${outcomes.join(', ')}): copies at the provider`;
    expect(received, what).toBeGreaterThanOrEqual(taken);
    expect(received, what).toBeLessThanOrEqual(taken + unknown);
    if (deliveries.some(({ state }) => state === 'accepted')) expect(received, what).toBeGreaterThan(0);
    const channel = deliveries[0]?.channel ?? '';
    const sum = sums.get(channel) ?? { messages: 0, copies: 0, repetitions: 0, unknown: 0 };
    sums.set(channel, {
      messages: sum.messages + (taken > 0 ? 1 : 0),
      copies: sum.copies + received,
      repetitions: sum.repetitions + Math.max(0, received - 1),
      unknown: sum.unknown + unknown,
    });
  }
  return Object.fromEntries([...sums].toSorted(([a], [b]) => (a < b ? -1 : 1)));
};

const nameOf = (channel: string, id: string): string => `${channel} ${id}`;
