import { InvariantError } from '@tocsin/runtime';
import { networkReason } from '../network-failure.ts';
import { errorCode, errorDetail } from '../safe-detail.ts';
import type { Refusal } from './answer-outcome.ts';
import type { RequestPhase } from './tracked-transport.ts';

/**
 * What a request without an answer means. Before the connection stood, nothing was sent. After that the message may
 * have been accepted, whatever the error is called.
 *
 * @throws InvariantError when nothing was sent and no error of the network or the settings explains it
 */
export const silenceOutcome = (
  {
    error,
    phase,
    timedOut,
    stopped,
  }: {
    readonly error: unknown;
    readonly phase: RequestPhase;
    readonly timedOut: boolean;
    readonly stopped: boolean;
  },
  secrets: readonly string[],
): Refusal => {
  const detail = timedOut
    ? 'No answer in time.'
    : stopped
      ? 'Stopped while waiting for an answer.'
      : errorDetail(error, secrets);
  if (phase === 'connected')
    return { outcome: 'unknown', reason: timedOut ? 'timeout' : 'connection-lost', status: null, detail };
  const code = errorCode(error);
  // An address that is none, a key that cannot stand in a header.
  if (code !== null && /^ERR_(?:INVALID|BAD_OPTION|UNESCAPED)/.test(code))
    return { outcome: 'rejected', reason: 'misconfigured', status: null, detail };
  // The original is not kept as cause: it may hold the request with its key.
  if (code === null && !timedOut && !stopped)
    throw new InvariantError(`The message could not be handed to the HTTP library: ${detail}`);
  const reason =
    timedOut || stopped
      ? 'timeout-before-send'
      : (networkReason(code) ?? (phase === 'securing' ? 'tls' : 'connection-refused'));
  return { outcome: 'retry', reason, retryAfterMs: null, status: null, detail };
};
