import type { DeliveryId } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { cleanText } from '../jsonb.ts';

// Index deliveries_waiting. A delivery that somebody is claiming at this moment is left to him.
export const releaseDeliveriesText = `
with waiting as (
  select deliveries.id
  from tocsin.deliveries
  where deliveries.next_attempt_at is not null
    and deliveries.channel = $1
    and (
      (
        deliveries.state = 'retrying'
        and deliveries.last_reason = any ($2::text[])
        and deliveries.next_attempt_at > clock_timestamp()
      )
      or (
        deliveries.state = 'unknown'
        and deliveries.next_attempt_at > clock_timestamp() + $3::double precision * interval '1 millisecond'
      )
    )
  order by deliveries.created_at, deliveries.id
  limit $4
  for update skip locked
)
update tocsin.deliveries
set
  next_attempt_at = case deliveries.state
    when 'retrying' then clock_timestamp()
    else clock_timestamp() + $3::double precision * interval '1 millisecond'
  end
from waiting
where deliveries.id = waiting.id
returning deliveries.id, deliveries.state`;

/** Lets deliveries go that wait for their channel; see `StoreSession.releaseDeliveries`. */
export const releaseDeliveries = async (
  tx: Queryable,
  channel: string,
  waiting: { readonly reasons: readonly string[]; readonly unknownRetryMs: number },
  limit: number,
): Promise<readonly { readonly id: DeliveryId; readonly state: 'retrying' | 'unknown' }[]> => {
  const values = [cleanText(channel), waiting.reasons, waiting.unknownRetryMs, limit];
  return (
    await tx.query<{ readonly id: DeliveryId; readonly state: 'retrying' | 'unknown' }>(releaseDeliveriesText, values)
  ).rows;
};
