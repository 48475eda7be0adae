import { Buffer } from 'node:buffer';
import { cleanLine } from '@tocsin/email-templates';

/** Longest detail of an outcome, in characters. */
export const detailCharactersMax = 500;
/** Most text of a provider's answer that is looked at, in characters. */
const searchedCharactersMax = 20_000;
/** Shorter secrets are left alone: hiding every `a` would hide the detail. */
const secretCharactersMin = 4;
const mask = '***';

/** Shapes of secrets that may stand in an answer although they are none of ours: keys, credentials, user parts of URLs. */
const shapes: readonly RegExp[] = [
  /\bSG\.[\w.-]{8,}/g,
  /\b(?:Bearer|Basic)\s+[\w.~+/=-]+/gi,
  /(?<=:\/\/)[^\s/@]{1,300}@/g,
];

/**
 * A text of the provider or the network as detail of an outcome: one line, at most 500 characters, no control
 * characters, and without the given secrets, in plain, percent-encoded or base64 form.
 */
export const safeDetail = (text: string, secrets: readonly string[]): string => {
  let detail = cleanLine(text, searchedCharactersMax);
  for (const secret of secrets) {
    if (secret.length < secretCharactersMin) continue;
    for (const form of [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')])
      detail = detail.replaceAll(form, mask);
  }
  for (const shape of shapes) detail = detail.replace(shape, mask);
  return cleanLine(detail, detailCharactersMax);
};

/** The message of whatever was thrown, with the code in front where it says more, as safe detail. */
export const errorDetail = (error: unknown, secrets: readonly string[]): string => {
  if (!(error instanceof Error)) return safeDetail(String(error), secrets);
  const code = errorCode(error);
  // Node's AggregateError, thrown when every address of a host refused, has an empty message.
  const message =
    error.message === '' && error instanceof AggregateError ? error.errors.map(String).join('; ') : error.message;
  return safeDetail(code === null || message.includes(code) ? message : `${code}: ${message}`, secrets);
};

/** The `code` of an error, or of the error that caused it; null when there is none. */
export const errorCode = (error: unknown): string | null => {
  if (!(error instanceof Error)) return null;
  if ('code' in error && typeof error.code === 'string') return error.code;
  return errorCode(error.cause);
};
