import type { Queryable } from '@tocsin/runtime';
import type { Delivery, DeliveryAttempt } from '../store.ts';
import { attemptColumns, deliveryColumns } from './delivery-columns.ts';

const lockText = `
select ${deliveryColumns}
from tocsin.deliveries
where id = (select delivery_id from tocsin.delivery_attempts where id = $1::uuid)
for update`;

const attemptText = `
select ${attemptColumns}
from tocsin.delivery_attempts
where id = $1::uuid`;

/** The delivery of an attempt, and how the attempt stands; null when there is none. The delivery's row stays locked. */
export const lockDeliveryOfAttempt = async (
  tx: Queryable,
  attemptId: string,
): Promise<{ readonly delivery: Delivery; readonly attempt: DeliveryAttempt } | null> => {
  const delivery = (await tx.query<Delivery>(lockText, [attemptId])).rows[0];
  if (delivery === undefined) return null;
  // A statement of its own, begun after the lock: it sees what the lock had to wait for.
  const attempt = (await tx.query<DeliveryAttempt>(attemptText, [attemptId])).rows[0];
  return attempt === undefined ? null : { delivery, attempt };
};
