/** Why an attempt did not simply succeed; a closed list, used as metric label. */
export type DeliveryReason =
  | 'rate-limited'
  | 'server-error'
  | 'connection-refused'
  | 'dns'
  | 'tls'
  | 'timeout-before-send'
  | 'unauthorized'
  | 'bad-address'
  | 'bad-request'
  | 'too-large'
  | 'not-found'
  | 'storage'
  | 'misconfigured'
  | 'timeout'
  | 'connection-lost'
  | 'crashed'
  /** Not tried: the provider refused the channel's key or account, and somebody has to repair it. */
  | 'parked'
  /** Not tried: the last attempts of this channel failed one after the other. */
  | 'circuit-open'
  /** Not tried yet: the channel has sent as much as it may. */
  | 'throttled'
  /** Not tried: the address is one that messages may not be sent to. */
  | 'forbidden-address'
  /** Accepted, and not delivered: the provider's own word. */
  | 'bounced'
  | 'dropped';

/**
 * What one attempt at a provider came to.
 *
 * - `accepted`: the provider took responsibility. Not the same as delivered to a person.
 * - `retry`: certainly not accepted, may succeed later. `retryAfterMs` is the provider's own wish.
 * - `rejected`: certainly not accepted, and the same message will not be.
 * - `unknown`: sent, or partly sent, and no answer: it may have been accepted.
 */
export type DeliveryOutcome =
  | { readonly outcome: 'accepted'; readonly providerMessageId: string | null; readonly status: number | null }
  | {
      readonly outcome: 'retry';
      readonly reason: DeliveryReason;
      readonly retryAfterMs: number | null;
      readonly status: number | null;
      readonly detail: string;
    }
  | {
      readonly outcome: 'rejected';
      readonly reason: DeliveryReason;
      readonly status: number | null;
      readonly detail: string;
    }
  | {
      readonly outcome: 'unknown';
      readonly reason: DeliveryReason;
      readonly status: number | null;
      readonly detail: string;
    };

/** What happens to a delivery after an attempt. */
export type DeliveryStep =
  | { readonly step: 'accepted' }
  /** Try the same channel again at that time from now; `state` is what the ledger shows meanwhile. */
  | { readonly step: 'wait'; readonly afterMs: number; readonly state: 'retrying' | 'unknown' }
  /** This channel is done with it; the next one takes over, or, without one, the failure is made visible. */
  | { readonly step: 'give-up' };

/** Most attempts at one delivery while another channel could take over. */
export const attemptsWithFallbackMax = 5;
/** Most attempts at one delivery when no other channel is left: about three days. */
export const attemptsMax = 90;
/** First and longest wait between attempts. */
export const retryFirstMs = 5_000;
export const retryMaxMs = 3_600_000;
/** A rejected key or account is tried again this rarely: somebody has to repair it. */
export const unauthorizedRetryMs = 900_000;
/** Wait before an attempt of unknown outcome is repeated with the same Message-ID: time for the provider's own word. */
export const unknownRetryMs = 60_000;
/** Longest wait a provider may ask for. */
export const retryAfterMaxMs = 86_400_000;

/**
 * Decides what follows an attempt. Pure: no clock, no jitter.
 *
 * @param outcome what the attempt came to
 * @param attempts how many attempts were made, this one included (1 for the first)
 * @param fallbackLeft whether another channel could take over
 * @param unknownFirstMs wait after the first attempt of unknown outcome, in milliseconds; doubles with each attempt
 */
export const nextDeliveryStep = (
  outcome: DeliveryOutcome,
  attempts: number,
  fallbackLeft: boolean,
  unknownFirstMs: number = unknownRetryMs,
): DeliveryStep => {
  const limit = fallbackLeft ? attemptsWithFallbackMax : attemptsMax;
  switch (outcome.outcome) {
    case 'accepted':
      return { step: 'accepted' };
    case 'rejected':
      // A wrong key or a missing channel is repaired by people: without another channel the message waits for them.
      if (!fallbackLeft && untilRepaired.has(outcome.reason) && attempts < limit)
        return { step: 'wait', afterMs: unauthorizedRetryMs, state: 'retrying' };
      return { step: 'give-up' };
    case 'retry':
      if (notTried.has(outcome.reason)) return waitForTurn(outcome, fallbackLeft);
      if (attempts >= limit) return { step: 'give-up' };
      return {
        step: 'wait',
        afterMs: Math.min(outcome.retryAfterMs ?? backoffMs(attempts, retryFirstMs), retryAfterMaxMs),
        state: 'retrying',
      };
    case 'unknown':
      if (attempts >= limit) return { step: 'give-up' };
      return { step: 'wait', afterMs: backoffMs(attempts, unknownFirstMs), state: 'unknown' };
    default:
      return outcome satisfies never;
  }
};

/** What somebody has to repair before the same message can be accepted. */
const untilRepaired: ReadonlySet<DeliveryReason> = new Set(['unauthorized', 'misconfigured', 'parked']);
/** The provider was not called, so there was no attempt that could count. */
const notTried: ReadonlySet<DeliveryReason> = new Set(['parked', 'circuit-open', 'throttled']);

/**
 * A channel that may send again in a moment is waited for. From one that is out of order the next channel takes over at
 * once; without one the message waits for as long as it takes.
 */
const waitForTurn = (
  { reason, retryAfterMs }: Extract<DeliveryOutcome, { outcome: 'retry' }>,
  fallbackLeft: boolean,
): DeliveryStep => {
  if (reason !== 'throttled' && fallbackLeft) return { step: 'give-up' };
  const afterMs = retryAfterMs ?? (reason === 'parked' ? unauthorizedRetryMs : retryFirstMs);
  return { step: 'wait', afterMs: Math.min(Math.max(0, afterMs), retryAfterMaxMs), state: 'retrying' };
};

const backoffMs = (attempts: number, firstMs: number): number =>
  Math.min(firstMs * 2 ** Math.min(attempts - 1, 16), retryMaxMs);
