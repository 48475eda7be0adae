import type { DeliveryId } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import type { Delivery } from '../store.ts';
import { deliveryColumns } from './delivery-columns.ts';

/** A delivery in the hands of this transaction. */
export interface ClaimedDelivery {
  readonly delivery: Delivery;
  /** Number of the attempt just opened; of an abandoned delivery, the number of the attempt just closed as unknown. */
  readonly number: number;
  /** True when an attempt was found open whose time had passed. Then none was opened. */
  readonly abandoned: boolean;
}

// The row lock keeps two processes from attempting at once; a row that somebody else holds is theirs.
const lockText = `
select ${deliveryColumns}
from tocsin.deliveries
where id = $1::uuid and next_attempt_at <= statement_timestamp()
for update
skip locked`;

const abandonText = `
update tocsin.delivery_attempts
set
  outcome = 'unknown',
  reason = 'crashed',
  detail = 'The process that made this attempt did not record how it ended.',
  ended_at = clock_timestamp()
where delivery_id = $1::uuid and outcome = 'attempting'`;

const openText = `
insert into tocsin.delivery_attempts (id, delivery_id, number, outcome)
values ($1::uuid, $2::uuid, $3, 'attempting')`;

const claimText = `
update tocsin.deliveries
set
  state = 'attempting',
  attempts = $2,
  next_attempt_at = clock_timestamp() + $3 * interval '1 millisecond'
where id = $1::uuid
returning ${deliveryColumns}`;

/**
 * Claims one delivery when it is due; null when it is not, or when somebody else holds its row.
 *
 * In the ordinary case opens the attempt `attempt.id`, which counts as abandoned `timeoutMs` from now. A delivery whose
 * last attempt was left open is only handed over: that attempt is closed as unknown (reason `crashed`), the row stays
 * locked and `attempting`, and the caller says in this transaction, by `updateDelivery`, what is to follow. If it says
 * nothing, the next claim finds the delivery abandoned again, so it is never sent again by oversight.
 */
export const claimDelivery = async (
  tx: Queryable,
  id: DeliveryId,
  attempt: { readonly id: string; readonly timeoutMs: number },
): Promise<ClaimedDelivery | null> => {
  const delivery = (await tx.query<Delivery>(lockText, [id])).rows[0];
  if (delivery === undefined) return null;
  if (delivery.state === 'attempting') {
    await tx.query(abandonText, [id]);
    return { delivery, number: delivery.attempts, abandoned: true };
  }
  const number = delivery.attempts + 1;
  await tx.query(openText, [attempt.id, id, number]);
  const claimed = (await tx.query<Delivery>(claimText, [id, number, attempt.timeoutMs])).rows[0];
  return claimed === undefined ? null : { delivery: claimed, number, abandoned: false };
};
