import type { Queryable } from '@tocsin/runtime';

/** Somebody whom messages did not reach, although others got them. */
export interface Bounces {
  readonly recipient: string;
  readonly messages: number;
  /** The other side's latest words; null when there were none. */
  readonly detail: string | null;
}

// Indexes provider_events_by_age and provider_events_by_delivery; a message that came back from everybody is no longer accepted.
const text = `
select
  coalesce(back.recipient, 'an unnamed recipient') as recipient,
  count(distinct back.delivery_id)::integer as messages,
  (array_agg(back.detail order by back.occurred_at desc) filter (where back.detail is not null))[1] as detail
from tocsin.provider_events as back
join tocsin.deliveries on deliveries.id = back.delivery_id and deliveries.state = 'accepted'
where back.recorded_at > clock_timestamp() - $1 * interval '1 millisecond'
  and back.event in ('bounce', 'blocked', 'dropped')
  and not exists (
    select from tocsin.provider_events as reached
    where reached.delivery_id = back.delivery_id
      and reached.event = 'delivered'
      and reached.recipient is not distinct from back.recipient
  )
group by 1
order by 2 desc, 1
limit $2`;

/** Recipients that messages of the time given came back from, most messages first. */
export const countBounces = async (
  queryable: Queryable,
  withinMs: number,
  limit: number,
): Promise<readonly Bounces[]> => (await queryable.query<Bounces>(text, [withinMs, limit])).rows;
