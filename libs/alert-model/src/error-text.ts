import { redact, redactCharsMax } from './redact.ts';
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
 * Cuts the middle out: an error names itself at its beginning, a Python traceback its cause at its end. Says how much
 * is missing.
 */
export const shortenMiddle = (text: string, charsMax: number): string => {
  if (text.length <= charsMax) return text;
  const note = (missing: number): string => `\n… (${missing} characters left out) …\n`;
  const kept = Math.max(0, charsMax - note(text.length).length);
  let head = Math.ceil(kept * headShare);
  let from = text.length - (kept - head);
  // A pair of surrogates is one character.
  if (text.charCodeAt(head - 1) >>> 10 === 0x36) head -= 1;
  if (text.charCodeAt(from) >>> 10 === 0x37) from += 1;
  return text.slice(0, head).toWellFormed() + note(from - head) + text.slice(from).toWellFormed();
};

/** How much of what is kept comes from the beginning. */
const headShare = 0.6;

/** The line that names the cause: the first, or the last of a Python traceback. */
export const causeLine = (error: string): string => {
  const lines = error.split('\n').filter((line) => line.trim() !== '');
  const traceback = lines[0]?.startsWith('Traceback ') === true;
  return ((traceback ? lines.findLast((line) => !/^\s/.test(line)) : lines[0]) ?? '').trim();
};

/**
 * Makes the error text of a job fit to be stored and shown: cleaned, redacted, at most `errorCharsMax` characters.
 *
 * @param raw the row's error; null, undefined and blank text give null
 * @param literals known secret values of the installation
 */
export const toErrorText = (raw: string | null | undefined, literals: readonly string[] = []): string | null => {
  if (raw === null || raw === undefined) return null;
  const text = redact(shortenMiddle(cleanText(raw), redactCharsMax), literals).trim();
  return text === '' ? null : shortenMiddle(text, errorCharsMax);
};
