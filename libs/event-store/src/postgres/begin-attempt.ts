import type { Queryable } from '@tocsin/runtime';

// Both primary keys. The delivery is read without a lock: whoever takes the attempt for abandoned changes the attempt's own
// row, for which this statement waits, and which is then no longer `claimed`.
export const beginAttemptText = `
update tocsin.delivery_attempts
set outcome = 'attempting'
from tocsin.deliveries
where delivery_attempts.id = $1::uuid
  and delivery_attempts.outcome = 'claimed'
  and deliveries.id = delivery_attempts.delivery_id
  and deliveries.state = 'attempting'
  and deliveries.next_attempt_at > clock_timestamp()`;

/**
 * Right before the provider is called: `claimed` becomes `attempting`. False, and nothing may be sent, when the attempt is
 * no longer ours: somebody took it for abandoned, or its time has passed so that anybody may at any moment.
 */
export const beginAttempt = async (tx: Queryable, attemptId: string): Promise<boolean> =>
  (await tx.query(beginAttemptText, [attemptId])).rowCount === 1;
