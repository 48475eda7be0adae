import type { DeliveryId } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import type { Delivery } from '../store.ts';
import { deliveryColumns } from './delivery-columns.ts';

/** A delivery in the hands of this transaction. */
export interface ClaimedDelivery {
  readonly delivery: Delivery;
  /** Number of the attempt just opened; of an abandoned delivery, the number of the attempt just closed. */
  readonly number: number;
  /**
   * Set when an attempt was found open whose time had passed; then none was opened. `claimed`: it never began, so certainly
   * nothing was sent. `attempting`: the provider may have been called.
   */
  readonly abandoned: false | 'claimed' | 'attempting';
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
  outcome = case outcome when 'claimed' then 'retry' else 'unknown' end,
  reason = 'crashed',
  detail = case outcome
    when 'claimed' then 'The process that was to make this attempt did not begin it.'
    else 'The process that made this attempt did not record how it ended.'
  end,
  ended_at = clock_timestamp()
where delivery_id = $1::uuid and ended_at is null`;

// Not what abandonText has changed: whoever found the delivery abandoned before may have said nothing of what is to follow.
const lastOutcomeText = `
select outcome
from tocsin.delivery_attempts
where delivery_id = $1::uuid
order by number desc
limit 1`;

const openText = `
insert into tocsin.delivery_attempts (id, delivery_id, number, outcome)
values ($1::uuid, $2::uuid, $3, 'claimed')`;

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
 * In the ordinary case opens the attempt `attempt.id` as `claimed`, which counts as abandoned `timeoutMs` from now;
 * `beginAttempt` comes before the provider is called. A delivery whose last attempt was left open is only handed over:
 * that attempt is closed (reason `crashed`) as `retry` when it had not begun, else as `unknown`; the row stays locked and
 * `attempting`, and the caller says in this transaction, by `updateDelivery`, what is to follow. If it says nothing, the
 * next claim finds the delivery abandoned again, so it is never sent again by oversight.
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
    const { rows } = await tx.query<{ readonly outcome: string }>(lastOutcomeText, [id]);
    return { delivery, number: delivery.attempts, abandoned: rows[0]?.outcome === 'retry' ? 'claimed' : 'attempting' };
  }
  const number = delivery.attempts + 1;
  await tx.query(openText, [attempt.id, id, number]);
  const claimed = (await tx.query<Delivery>(claimText, [id, number, attempt.timeoutMs])).rows[0];
  return claimed === undefined ? null : { delivery: claimed, number, abandoned: false };
};
