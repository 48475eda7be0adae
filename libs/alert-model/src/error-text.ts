import { redact } from './redact.ts';
import { errorCharsMax } from './signal.ts';

/** Control characters that no reader needs; line feed and tab stay. Also bidirectional and zero-width controls. */
// oxlint-disable-next-line no-control-regex -- removing them is the point
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
// oxlint-disable-next-line no-control-regex -- ANSI escape sequences begin with ESC
const ansi = /\u001b\[[0-9;?]{0,20}[A-Za-z]/g;

/** Removes terminal escapes, control, bidirectional and zero-width characters, and repairs lone surrogates. */
export const cleanText = (text: string): string =>
  text.replace(/\r\n?/g, '\n').replace(ansi, '').replace(controls, '').toWellFormed();

/** Cuts at a character boundary and says how much is missing. */
export const shorten = (text: string, charsMax: number): string => {
  if (text.length <= charsMax) return text;
  const note = (missing: number): string => ` … (${missing} more characters)`;
  let kept = Math.max(0, charsMax - note(text.length).length);
  // A pair of surrogates is one character.
  if (text.charCodeAt(kept - 1) >>> 10 === 0x36) kept -= 1;
  return text.slice(0, kept).toWellFormed() + note(text.length - kept);
};

/**
 * Makes the error text of a job fit to be stored and shown: cleaned, redacted, at most `errorCharsMax` characters.
 *
 * @param raw the row's error; null, undefined and blank text give null
 * @param literals known secret values of the installation
 */
export const toErrorText = (raw: string | null | undefined, literals: readonly string[] = []): string | null => {
  if (raw === null || raw === undefined) return null;
  const text = redact(cleanText(raw), literals).trim();
  return text === '' ? null : shorten(text, errorCharsMax);
};
