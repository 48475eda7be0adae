import type { Delivery } from '@tocsin/event-store';
import { moment } from './moment.ts';

/** Whether a message was accepted and came back from everybody it was for. */
export const cameBack = ({ state, acceptedAt }: Pick<Delivery, 'state' | 'acceptedAt'>): boolean =>
  acceptedAt !== null && (state === 'rejected' || state === 'replaced');

/** What became of a message: `delivered …`, `accepted …`, `came back (bounced)`, `retrying (rate-limited), next …`. */
export const deliveryText = (
  delivery: Pick<Delivery, 'state' | 'acceptedAt' | 'confirmedAt' | 'lastReason' | 'nextAttemptAt'>,
  now: string,
): string => {
  const { state, acceptedAt, confirmedAt, lastReason, nextAttemptAt } = delivery;
  const reason = lastReason === null ? '' : ` (${lastReason})`;
  if (cameBack(delivery)) return `accepted ${moment(acceptedAt ?? '', now)}, then came back${reason}`;
  if (confirmedAt !== null) return `delivered ${moment(confirmedAt, now)}, says the provider`;
  if (acceptedAt !== null) return `accepted ${moment(acceptedAt, now)}`;
  if (nextAttemptAt !== null) return `${state}${reason}, next attempt ${moment(nextAttemptAt, now)}`;
  if (state === 'rejected') return `given up${reason}`;
  return state === 'replaced' ? `given up${reason}, another message took over` : `${state}${reason}`;
};
