import type { DeliveryOutcome, DeliveryReason } from '@tocsin/alert-model';
import { safeDetail } from '../safe-detail.ts';
import type { Answer, PostResult } from './post.ts';
import { retryAfterMs } from './retry-after.ts';
import { silenceOutcome } from './silence-outcome.ts';

/** What an attempt came to that was not accepted. */
export type Refusal = Exclude<DeliveryOutcome, { readonly outcome: 'accepted' }>;

/** How one provider's answers are read. */
export interface AnswerReader {
  /** Its name as people know it, `Slack`: begins every detail. */
  readonly provider: string;
  /** Hidden wherever an answer repeats them. */
  readonly secrets: readonly string[];
  /** Judges an answer with a status from 200 to 299: such a status alone is not acceptance everywhere. */
  readonly accept: (answer: Answer) => DeliveryOutcome;
  /** What an answer says of itself, for the detail of a refusal. Default: its body. */
  readonly textOf?: (answer: Answer) => string;
}

/**
 * What came of a request: acceptance by the provider's own rules, a refusal by its status, or silence by how far it came.
 *
 * @param nowMs local time, for waits given as dates. Default: now
 * @throws InvariantError as `silenceOutcome` does
 */
export const postOutcome = (result: PostResult, reader: AnswerReader, nowMs: number = Date.now()): DeliveryOutcome => {
  if (result.kind === 'silence') return silenceOutcome(result, reader.secrets);
  return result.status >= 200 && result.status < 300 ? reader.accept(result) : refusalOf(result, reader, nowMs);
};

/**
 * What a status outside 200 to 299 means, the same for every provider (RFC 9110, section 15; RFC 6585; RFC 8470). For a
 * good status with bad news in its body, make the refusal by hand with `answerDetail`.
 */
export const refusalOf = (
  answer: Answer,
  reader: Pick<AnswerReader, 'provider' | 'secrets' | 'textOf'>,
  nowMs: number = Date.now(),
): Refusal => {
  const { status, headers } = answer;
  const rejected = (reason: DeliveryReason, detail = answerDetail(answer, reader)): Refusal => ({
    outcome: 'rejected',
    reason,
    status,
    detail,
  });
  const retry = (reason: DeliveryReason): Refusal => ({
    outcome: 'retry',
    reason,
    retryAfterMs: retryAfterMs(headers, nowMs),
    status,
    detail: answerDetail(answer, reader),
  });
  // Key and message would go wherever the answer says. Somebody has to write the new address down.
  if (status < 400)
    return rejected('misconfigured', `${reader.provider} answered ${status}: the redirect was not followed.`);
  if (status >= 500) return retry('server-error');
  switch (status) {
    case 401:
    case 403:
      return rejected('unauthorized');
    case 404:
    case 410:
      return rejected('not-found');
    case 413:
      return rejected('too-large');
    case 408:
    case 425:
      return retry('server-error');
    case 429:
      return retry('rate-limited');
    default:
      return rejected('bad-request');
  }
};

/**
 * A good status with a web page is some other server than the provider, such as a proxy's login page: the message did
 * not arrive. Null for anything else.
 */
export const webPageOutcome = (
  answer: Answer,
  reader: Pick<AnswerReader, 'provider' | 'secrets' | 'textOf'>,
): Refusal | null => {
  const type = answer.headers['content-type'];
  if (typeof type !== 'string' || !type.startsWith('text/html')) return null;
  return {
    outcome: 'rejected',
    reason: 'misconfigured',
    status: answer.status,
    detail: answerDetail(answer, reader),
  };
};

/** An answer in one line of at most 500 characters, without secrets: `Slack answered 404: no_service`. */
export const answerDetail = (
  answer: Answer,
  { provider, secrets, textOf }: Pick<AnswerReader, 'provider' | 'secrets' | 'textOf'>,
): string => {
  const text = textOf?.(answer) ?? answer.body;
  return safeDetail(`${provider} answered ${answer.status}${text === '' ? '' : `: ${text}`}`, secrets);
};
