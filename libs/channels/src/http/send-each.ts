import type { DeliveryOutcome } from '@tocsin/alert-model';
import type { SendOptions } from '../channel.ts';

/** Requests of one attempt that are under way at the same time. */
export const sideBySideMax = 5;

/** One request of several; gets what is left of the attempt's time. */
export type SendPart = (left: SendOptions) => Promise<DeliveryOutcome>;

/**
 * One attempt that takes several requests, each of which the provider recognises when it comes again, a few at a time.
 * Ends with the first group in which something went wrong, other than that one part is not understood: this must not
 * keep the others from being told.
 *
 * - All accepted: accepted, with the identity of the first. Nothing to send at all: accepted, without status.
 * - Something refused for good: that refusal, so that the next channel tells the whole message.
 * - Something may be tried again: that. Once any part was accepted an unknown one is tried again too, since repeating
 *   what arrived does no harm.
 */
export const sendEach = async (parts: readonly SendPart[], options: SendOptions): Promise<DeliveryOutcome> => {
  if (parts.length > 0 && options.signal.aborted)
    return {
      outcome: 'retry',
      reason: 'timeout-before-send',
      retryAfterMs: null,
      status: null,
      detail: 'Stopped before anything was sent.',
    };
  const endsAt = performance.now() + options.timeoutMs;
  const outcomes: DeliveryOutcome[] = [];
  for (let next = 0; next < parts.length && !outcomes.some(endsAttempt); next += sideBySideMax) {
    const left = { signal: options.signal, timeoutMs: Math.max(1, Math.ceil(endsAt - performance.now())) };
    outcomes.push(...(await Promise.all(parts.slice(next, next + sideBySideMax).map((part) => part(left)))));
  }
  return combined(outcomes);
};

const endsAttempt = (outcome: DeliveryOutcome): boolean =>
  outcome.outcome !== 'accepted' && !(outcome.outcome === 'rejected' && outcome.reason === 'bad-request');

const combined = (outcomes: readonly DeliveryOutcome[]): DeliveryOutcome => {
  const rejected = outcomes.find(({ outcome }) => outcome === 'rejected');
  if (rejected !== undefined) return rejected;
  const retry = outcomes.find(({ outcome }) => outcome === 'retry');
  if (retry !== undefined) return retry;
  const unknown = outcomes.find((outcome) => outcome.outcome === 'unknown');
  if (unknown !== undefined)
    return outcomes.some(({ outcome }) => outcome === 'accepted')
      ? { ...unknown, outcome: 'retry', retryAfterMs: null }
      : unknown;
  return outcomes[0] ?? { outcome: 'accepted', providerMessageId: null, status: null };
};
