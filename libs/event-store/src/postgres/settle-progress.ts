import type { DeliveryId } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';

const text = `
update tocsin.deliveries
set
  settled_count = $3,
  settled_at = case when $4 then clock_timestamp() end
where id = $1::uuid and settled_count = $2 and settled_at is null`;

/**
 * Notes that a delivery's alerts up to `to` carry its result, if they did so up to `from` before; answers false, and
 * changes nothing, when somebody else has settled on. `done` ends the settling for good.
 */
export const settleProgress = async (
  tx: Queryable,
  id: DeliveryId,
  from: number,
  to: number,
  done: boolean,
): Promise<boolean> => (await tx.query(text, [id, from, to, done])).rowCount === 1;
