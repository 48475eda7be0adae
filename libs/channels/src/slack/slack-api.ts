import { refusalOf } from '../http/answer-outcome.ts';
import type { Refusal } from '../http/answer-outcome.ts';
import { post } from '../http/post.ts';
import type { Answer, PostResult } from '../http/post.ts';
import { retryAfterMs } from '../http/retry-after.ts';
import { silenceOutcome } from '../http/silence-outcome.ts';
import { safeDetail } from '../safe-detail.ts';
import { slackErrorMeaning } from './slack-error.ts';

/** Most bytes read of an answer: a page of a channel's history holds whole messages. */
const answerBytesMax = 4_000_000;
/** Longest wait for the rest of an answer, in milliseconds: unlike elsewhere, only the body says what became of it. */
const answerWaitMs = 5_000;

/** What a method of Slack's Web API came to. */
export type SlackResult =
  | { readonly ok: true; readonly status: number; readonly answer: Readonly<Record<string, unknown>> }
  | {
      readonly ok: false;
      /** Slack's own word for it; null when it did not say one. */
      readonly error: string | null;
      readonly refusal: Refusal;
    };

/** Methods of Slack's Web API, within one attempt. */
export interface SlackApi {
  /** Calls a method with JSON, as those that write take it. */
  write(method: string, fields: object): Promise<SlackResult>;
  /** Calls a method with a form, as those that read take it. @param timeoutMs bound besides the attempt's own */
  read(method: string, fields: Readonly<Record<string, string>>): Promise<SlackResult>;
  /** Milliseconds left of the attempt. */
  leftMs(): number;
}

/**
 * Slack's Web API for one attempt, which may take several requests: their time is counted together.
 *
 * @param secrets hidden wherever an answer repeats them
 */
export const slackApi = (
  { baseUrl, token }: { readonly baseUrl: string; readonly token: string },
  { signal, timeoutMs }: { readonly signal: AbortSignal; readonly timeoutMs: number },
  secrets: readonly string[],
): SlackApi => {
  const endsAt = performance.now() + timeoutMs;
  const leftMs = (): number => Math.max(0, Math.ceil(endsAt - performance.now()));
  const call = async (method: string, type: string, body: string): Promise<SlackResult> =>
    slackResult(
      await post({
        url: `${baseUrl}${method}`,
        headers: { Authorization: `Bearer ${token}`, 'Content-Type': `${type}; charset=utf-8` },
        body,
        timeoutMs: leftMs(),
        signal,
        bodyWaitMs: Math.min(answerWaitMs, leftMs()),
        bodyBytesMax: answerBytesMax,
      }),
      secrets,
    );
  return {
    write: (method, fields) => call(method, 'application/json', JSON.stringify(fields)),
    read: (method, fields) => call(method, 'application/x-www-form-urlencoded', new URLSearchParams(fields).toString()),
    leftMs,
  };
};

const slackResult = (result: PostResult, secrets: readonly string[]): SlackResult => {
  if (result.kind === 'silence') return { ok: false, error: null, refusal: silenceOutcome(result, secrets) };
  if (result.status < 200 || result.status >= 300)
    return { ok: false, error: errorWord(parseObject(result.body)), refusal: slackRefusal(result, secrets) };
  const { status } = result;
  if (isHtml(result))
    return {
      ok: false,
      error: null,
      refusal: { outcome: 'rejected', reason: 'misconfigured', status, detail: 'A web page answered, not Slack.' },
    };
  const answer = parseObject(result.body);
  if (answer?.['ok'] === true) return { ok: true, status, answer };
  const error = errorWord(answer);
  if (error === null)
    return {
      ok: false,
      error,
      refusal: {
        outcome: 'unknown',
        reason: 'connection-lost',
        status,
        detail: "Slack's answer did not come whole, so nobody knows what it said.",
      },
    };
  return { ok: false, error, refusal: errorRefusal(error, result, answer, secrets) };
};

/** What a status outside 200 to 299 means: a wrong address is a matter for people, so the message waits for them. */
export const slackRefusal = (answer: Answer, secrets: readonly string[]): Refusal => {
  const refusal = refusalOf(answer, { provider: 'Slack', secrets });
  return refusal.outcome === 'rejected' && (answer.status < 400 || answer.status === 404 || answer.status === 410)
    ? { ...refusal, reason: 'misconfigured' }
    : refusal;
};

/** Whether a web page answered, such as a proxy's login page. */
export const isHtml = ({ headers }: Answer): boolean => {
  const type = headers['content-type'];
  return typeof type === 'string' && type.startsWith('text/html');
};

const errorRefusal = (
  error: string,
  { status, headers }: Answer,
  answer: Readonly<Record<string, unknown>> | null,
  secrets: readonly string[],
): Refusal => {
  const { outcome, reason } = slackErrorMeaning(error);
  const detail = safeDetail(`Slack answered ${error}${furtherWords(answer)}`, secrets);
  return outcome === 'retry'
    ? { outcome, reason, retryAfterMs: retryAfterMs(headers, Date.now()), status, detail }
    : { outcome, reason, status, detail };
};

// `response_metadata.messages` says what is wrong with the blocks, `needed` which scope is missing.
const furtherWords = (answer: Readonly<Record<string, unknown>> | null): string => {
  const messages = objectOf(answer?.['response_metadata'])?.['messages'];
  const shown = Array.isArray(messages) ? messages.filter((one) => typeof one === 'string') : [];
  const needed = answer?.['needed'];
  return [...shown, ...(typeof needed === 'string' ? [`needed: ${needed}`] : [])].map((one) => `; ${one}`).join('');
};

const errorWord = (answer: Readonly<Record<string, unknown>> | null): string | null => {
  const error = answer?.['error'];
  return typeof error === 'string' ? error : null;
};

const parseObject = (text: string): Readonly<Record<string, unknown>> | null => {
  try {
    return objectOf(JSON.parse(text));
  } catch {
    return null;
  }
};

/** A value as object; null for whatever is none. */
export const objectOf = (value: unknown): Readonly<Record<string, unknown>> | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : null;
