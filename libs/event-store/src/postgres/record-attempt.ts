import type { DeliveryOutcome } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { cleanText } from '../jsonb.ts';
import { lockAttempted } from './lock-attempted.ts';

// An outcome decided without calling the provider closes an attempt that never began.
const closeText = `
update tocsin.delivery_attempts
set
  outcome = $2,
  reason = $3,
  detail = $4,
  status = $5,
  provider_message_id = $6,
  ended_at = clock_timestamp()
where id = $1::uuid and outcome in ('claimed', 'attempting')`;

/**
 * Closes an attempt with what it came to. False when it is closed already: another process took this one for dead and
 * recorded the attempt as unknown, or it was recorded before. The caller then changes nothing about the delivery, which
 * is no longer its own. The delivery's row stays locked until the transaction ends.
 */
export const recordAttempt = async (tx: Queryable, attemptId: string, outcome: DeliveryOutcome): Promise<boolean> => {
  await lockAttempted(tx, attemptId);
  const accepted = outcome.outcome === 'accepted';
  const { rowCount } = await tx.query(closeText, [
    attemptId,
    outcome.outcome,
    accepted ? null : outcome.reason,
    accepted ? null : cleanText(outcome.detail),
    outcome.status,
    accepted && outcome.providerMessageId !== null ? cleanText(outcome.providerMessageId) : null,
  ]);
  return rowCount === 1;
};
