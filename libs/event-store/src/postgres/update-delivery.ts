import type { DeliveryId } from '@tocsin/alert-model';
import { InvariantError } from '@tocsin/runtime';
import type { Queryable } from '@tocsin/runtime';
import { cleanText } from '../jsonb.ts';

/** What becomes of a delivery after an attempt; `afterMs` counts from now. */
export type DeliveryChange =
  | { readonly state: 'accepted'; readonly providerMessageId: string | null }
  | { readonly state: 'retrying' | 'unknown'; readonly afterMs: number; readonly reason: string }
  | { readonly state: 'rejected' | 'replaced'; readonly reason: string };

const text = `
update tocsin.deliveries
set
  state = $2,
  next_attempt_at = clock_timestamp() + $3::double precision * interval '1 millisecond',
  last_reason = coalesce($4, last_reason),
  provider_message_id = coalesce($5, provider_message_id),
  accepted_at = case when $2 = 'accepted' then clock_timestamp() end
where id = $1::uuid and state in ('pending', 'attempting', 'retrying', 'unknown')`;

/**
 * Moves a delivery on. `accepted`, `rejected` and `replaced` are final.
 *
 * @throws InvariantError when there is no such delivery, or it is final.
 */
export const updateDelivery = async (tx: Queryable, id: DeliveryId, change: DeliveryChange): Promise<void> => {
  const { rowCount } = await tx.query(text, [
    id,
    change.state,
    'afterMs' in change ? change.afterMs : null,
    'reason' in change ? cleanText(change.reason) : null,
    'providerMessageId' in change && change.providerMessageId !== null ? cleanText(change.providerMessageId) : null,
  ]);
  if (rowCount !== 1)
    throw new InvariantError(
      `Delivery ${id} cannot become ${change.state}: it does not exist or has its final result already.`,
    );
};
