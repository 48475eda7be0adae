import type { Queryable } from '@tocsin/runtime';

const text = `
select
from tocsin.deliveries
where id = (select delivery_id from tocsin.delivery_attempts where id = $1::uuid)
for update`;

/**
 * Locks the delivery of an attempt until the transaction ends. claimDelivery locks the delivery before it touches an
 * attempt; whoever changes an attempt does the same, so that no two deadlock.
 */
export const lockAttempted = async (tx: Queryable, attemptId: string): Promise<void> => {
  await tx.query(text, [attemptId]);
};
