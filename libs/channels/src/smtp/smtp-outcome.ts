import type { DeliveryOutcome, DeliveryReason } from '@tocsin/alert-model';
import { networkReason } from '../network-failure.ts';
import { errorDetail } from '../safe-detail.ts';

/**
 * How far a conversation came. Up to `data` the server cannot have taken the message, since its end was not sent;
 * after `ended` it may have.
 */
export type SmtpPhase = 'connecting' | 'envelope' | 'data' | 'ended';

/** The fields of nodemailer's errors that decide. */
export interface SmtpError extends Error {
  readonly code?: string | undefined;
  /** The code of the system error behind it. */
  readonly originalCode?: string | undefined;
  readonly responseCode?: number | undefined;
  readonly response?: string | undefined;
  readonly command?: string | undefined;
  /** One for each recipient, when all of them were refused. */
  readonly rejectedErrors?: readonly SmtpError[] | undefined;
}

/**
 * What a failed conversation means. A reply decides by its code (RFC 5321, section 4.2.1: 4yz may succeed later, 5yz
 * will not) and its enhanced code (RFC 3463); silence decides by how far the conversation came.
 */
export const smtpFailure = (
  error: SmtpError,
  phase: SmtpPhase,
  { timedOut, stopped }: { readonly timedOut: boolean; readonly stopped: boolean },
  secrets: readonly string[],
): DeliveryOutcome => {
  const detail = timedOut
    ? 'No answer in time.'
    : stopped
      ? 'Stopped while waiting for an answer.'
      : errorDetail(error, secrets);
  // When every recipient is refused, one that may be accepted later is worth another try for.
  const deciding = error.rejectedErrors?.find((refusal) => isTemporary(refusal.responseCode)) ?? error;
  const status = deciding.responseCode ?? null;
  // Also when the server answers STARTTLS with a permanent refusal: the message itself was not refused.
  if (error.code === 'ETLS') return { outcome: 'retry', reason: 'tls', retryAfterMs: null, status, detail };
  if (status !== null && isTemporary(status))
    return { outcome: 'retry', reason: temporaryReason(deciding), retryAfterMs: null, status, detail };
  if (status !== null && status >= 500)
    return { outcome: 'rejected', reason: permanentReason(deciding), status, detail };
  if (error.code === 'EMESSAGE') return { outcome: 'rejected', reason: 'too-large', status, detail };
  if (error.code === 'EENVELOPE') return { outcome: 'rejected', reason: 'bad-address', status, detail };
  if (error.code === 'EAUTH') return { outcome: 'rejected', reason: 'unauthorized', status, detail };
  if (phase === 'ended')
    return {
      outcome: 'unknown',
      reason: timedOut || error.code === 'ETIMEDOUT' ? 'timeout' : 'connection-lost',
      status,
      detail,
    };
  return {
    outcome: 'retry',
    reason: silentReason(error, phase, timedOut || stopped),
    retryAfterMs: null,
    status,
    detail,
  };
};

const isTemporary = (code: number | undefined): boolean => code !== undefined && code >= 400 && code < 500;

const temporaryReason = ({ response = '' }: SmtpError): DeliveryReason =>
  /\b4\.7\.28\b|rate|too many/i.test(response) ? 'rate-limited' : 'server-error';

const permanentReason = (error: SmtpError): DeliveryReason => {
  const enhanced = /^\d{3}[ -](5\.\d{1,3}\.\d{1,3})\b/.exec(error.response ?? '')?.[1] ?? '';
  const code = error.responseCode ?? 0;
  if (error.code === 'EAUTH' || code === 535 || code === 530 || code === 534 || code === 538) return 'unauthorized';
  if (enhanced.startsWith('5.1.') || enhanced === '5.2.1') return 'bad-address';
  if (enhanced === '5.3.4' || enhanced === '5.2.3') return 'too-large';
  // Policy, such as `5.7.1 Relay access denied`: repaired by the one who runs the account or the server.
  if (enhanced.startsWith('5.7.')) return 'unauthorized';
  if (code === 552) return 'too-large';
  if (error.command === 'RCPT TO' && (code === 550 || code === 551 || code === 553)) return 'bad-address';
  return 'bad-request';
};

const silentReason = (error: SmtpError, phase: SmtpPhase, ended: boolean): DeliveryReason => {
  if (ended) return 'timeout-before-send';
  const reason = networkReason(error.originalCode ?? null) ?? networkReason(error.code ?? null);
  if (reason !== null) return reason;
  return phase === 'connecting' && error.code === 'ESOCKET' ? 'connection-refused' : 'connection-lost';
};
