import { createHash } from 'node:crypto';
import { nameCharsMax } from '@tocsin/alert-model';

/** What stands in place of an empty source or job type. */
export const noName = '(none)';

/** Characters of a digest that keep two shortened names apart. */
const digestChars = 32;

/**
 * A name as the model accepts it: not empty, at most `nameCharsMax` UTF-16 units. Names are shortened in SQL already;
 * here only those that are longer in UTF-16 (emoji count twice) are, again with a digest, so that different names stay
 * different.
 */
export const toName = (text: string | null): string => {
  if (text === null || text === '') return noName;
  if (text.length <= nameCharsMax) return text;
  const digest = createHash('sha256').update(text).digest('hex').slice(0, digestChars);
  return `${text.slice(0, nameCharsMax - digestChars - 1).toWellFormed()}~${digest}`;
};

/** The same for a field that may be absent: null and empty stay null. */
export const toNameOrNull = (text: string | null): string | null =>
  text === null || text === '' ? null : toName(text);
