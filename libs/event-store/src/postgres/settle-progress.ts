import type { DeliveryId } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';

const text = `
update tocsin.deliveries
set
  settled_count = greatest(settled_count, $2),
  settled_at = coalesce(settled_at, case when $3 then clock_timestamp() end)
where id = $1::uuid`;

/** Notes how many of a delivery's alerts carry its result; never fewer than before. `done` ends the settling for good. */
export const settleProgress = async (
  tx: Queryable,
  id: DeliveryId,
  settledCount: number,
  done: boolean,
): Promise<void> => {
  await tx.query(text, [id, settledCount, done]);
};
