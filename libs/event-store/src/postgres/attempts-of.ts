import type { DeliveryId } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import type { DeliveryAttempt } from '../store.ts';
import { attemptColumns } from './delivery-columns.ts';

// Index delivery_attempts_number.
const text = `
select ${attemptColumns}
from tocsin.delivery_attempts
where delivery_id = any($1::uuid[])
order by delivery_id, number`;

/** The attempts at these deliveries, delivery by delivery in id order, each in the order they were made. */
export const attemptsOf = async (
  tx: Queryable,
  deliveryIds: readonly DeliveryId[],
): Promise<readonly DeliveryAttempt[]> => {
  if (deliveryIds.length === 0) return [];
  return (await tx.query<DeliveryAttempt>(text, [deliveryIds])).rows;
};
