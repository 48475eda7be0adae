import type { Queryable } from '@tocsin/runtime';
import { cleanText } from '../jsonb.ts';
import { lockAttempted } from './lock-attempted.ts';

const text = `
update tocsin.delivery_attempts
set
  outcome = 'accepted',
  reason = null,
  detail = 'The provider said afterwards that it had accepted it.',
  provider_message_id = coalesce($2, provider_message_id)
where id = $1::uuid and outcome = 'unknown'`;

/** Turns an attempt that is on record as `unknown` into an accepted one, by the provider's own word; false for any other. */
export const settleUnknownAttempt = async (
  tx: Queryable,
  attemptId: string,
  providerMessageId: string | null,
): Promise<boolean> => {
  await lockAttempted(tx, attemptId);
  const values = [attemptId, providerMessageId === null ? null : cleanText(providerMessageId)];
  return (await tx.query(text, values)).rowCount === 1;
};
