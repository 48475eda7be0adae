import type { Queryable } from '@tocsin/runtime';
import { cleanText } from '../jsonb.ts';
import type { Delivery } from '../store.ts';
import { deliveryColumns } from './delivery-columns.ts';

/** Most deliveries in one answer: each carries a whole message. */
export const deliveriesPerListMax = 500;

// Indexes deliveries_given_up and deliveries_by_replaced; deliveries_waiting. All of them is a question that a person asks now
// and then: it reads what retention has left, and no index is paid for to answer it faster.
const conditions = {
  dead: `deliveries.state = 'rejected'
  and not exists (select from tocsin.deliveries as heir where heir.fallback_of = deliveries.id)`,
  waiting: 'deliveries.next_attempt_at is not null',
  all: 'true',
} as const;

export const listDeliveriesText = (state: keyof typeof conditions): string => `
select ${deliveryColumns}
from tocsin.deliveries
where ${conditions[state]}
  and ($1::text is null or deliveries.channel = $1)
order by deliveries.created_at desc, deliveries.id desc
limit $2`;

/** Deliveries for people, newest first, at most {@link deliveriesPerListMax}. `dead`: given up, and nothing took over. */
export const listDeliveries = async (
  tx: Queryable,
  filter: { readonly state: 'dead' | 'waiting' | 'all'; readonly channel: string | null; readonly limit: number },
): Promise<readonly Delivery[]> => {
  const values = [
    filter.channel === null ? null : cleanText(filter.channel),
    Math.min(filter.limit, deliveriesPerListMax),
  ];
  return (await tx.query<Delivery>(listDeliveriesText(filter.state), values)).rows;
};
