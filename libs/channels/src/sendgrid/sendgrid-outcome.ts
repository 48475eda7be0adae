import type { DeliveryOutcome, DeliveryReason } from '@tocsin/alert-model';
import { retryAfterMs } from '../http/retry-after.ts';
import type { AnswerHeaders } from '../http/retry-after.ts';
import { safeDetail } from '../safe-detail.ts';

/** What SendGrid answered. */
export interface SendGridAnswer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  /** The beginning of the body, as text. */
  readonly body: string;
}

/** Where SendGrid is, unless the configuration says otherwise. */
export const sendGridBaseUrl = 'https://api.sendgrid.com/';

const errorsShownMax = 5;
const messageIdCharactersMax = 200;

/**
 * What an answer means (https://www.twilio.com/docs/sendgrid/api-reference/mail-send/errors). Mail is answered with
 * 202, in sandbox mode with 200. An HTML page with a good status is some other server, such as a proxy's login page.
 *
 * @param nowMs local time, for waits given as dates
 */
export const answerOutcome = (answer: SendGridAnswer, secrets: readonly string[], nowMs: number): DeliveryOutcome => {
  const { status, headers } = answer;
  const detail = safeDetail(answerText(answer), secrets);
  const retry = (reason: DeliveryReason): DeliveryOutcome => ({
    outcome: 'retry',
    reason,
    retryAfterMs: retryAfterMs(headers, nowMs),
    status,
    detail,
  });
  const rejected = (reason: DeliveryReason): DeliveryOutcome => ({ outcome: 'rejected', reason, status, detail });
  if (status >= 200 && status < 300)
    return isHtml(headers)
      ? rejected('misconfigured')
      : { outcome: 'accepted', providerMessageId: providerMessageId(headers), status };
  // Redirects are not followed: the key and the message would go wherever the answer says.
  if (status < 400) return rejected('misconfigured');
  if (status >= 500 || status === 408 || status === 425) return retry('server-error');
  switch (status) {
    case 401:
    case 403:
      return rejected('unauthorized');
    case 404:
    case 410:
      return rejected('not-found');
    case 413:
      return rejected('too-large');
    case 429:
      return retry('rate-limited');
    default:
      return rejected(namesAddress(answer.body) ? 'bad-address' : 'bad-request');
  }
};

const isHtml = (headers: AnswerHeaders): boolean => {
  const type = headers['content-type'];
  return typeof type === 'string' && type.startsWith('text/html');
};

const providerMessageId = (headers: AnswerHeaders): string | null => {
  const id = headers['x-message-id'];
  return typeof id === 'string' && id !== '' ? safeDetail(id, []).slice(0, messageIdCharactersMax) : null;
};

interface SendGridError {
  readonly message: string;
  readonly field: string;
}

const answerText = ({ status, body }: SendGridAnswer): string => {
  const errors = parseErrors(body);
  const text =
    errors.length === 0
      ? body
      : errors.map(({ message, field }) => (field === '' ? message : `${message} (${field})`)).join('; ');
  return `SendGrid answered ${status}${text === '' ? '' : `: ${text}`}`;
};

// `personalizations.0.to.0.email`, `from.email`, or a message about an address without a field.
const namesAddress = (body: string): boolean =>
  parseErrors(body).some(
    ({ message, field }) =>
      /(?:^|\.)(?:to|cc|bcc|from|reply_to)(?:\.|$)/.test(field) || /valid (?:e-?mail )?address/i.test(message),
  );

const parseErrors = (body: string): readonly SendGridError[] => {
  try {
    const parsed: unknown = JSON.parse(body);
    const errors = typeof parsed === 'object' && parsed !== null && 'errors' in parsed ? parsed.errors : null;
    if (!Array.isArray(errors)) return [];
    return errors
      .slice(0, errorsShownMax)
      .map((error: unknown) => ({ message: textOf(error, 'message'), field: textOf(error, 'field') }));
  } catch {
    return [];
  }
};

const textOf = (value: unknown, key: string): string => {
  const text = typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[key] : null;
  return typeof text === 'string' ? text : '';
};
