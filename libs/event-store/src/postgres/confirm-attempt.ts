import type { Instant } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { lockAttempted } from './lock-attempted.ts';

// The delivery keeps the first confirmation; its row is locked.
const text = `
with confirmed as (
  update tocsin.delivery_attempts
  set outcome = 'confirmed'
  where id = $1::uuid and outcome = 'accepted'
  returning delivery_id
)
update tocsin.deliveries
set confirmed_at = coalesce(confirmed_at, $2::timestamptz)
from confirmed
where deliveries.id = confirmed.delivery_id`;

/**
 * Notes that the provider has delivered what it accepted. False when that was known, and for an attempt that is not on
 * record as accepted: one still open, or one that is unknown and must be settled first.
 */
export const confirmAttempt = async (tx: Queryable, attemptId: string, at: Instant): Promise<boolean> => {
  await lockAttempted(tx, attemptId);
  return (await tx.query(text, [attemptId, at])).rowCount === 1;
};
