import { createHash } from 'node:crypto';
import { nameCharsMax } from '@tocsin/alert-model';

/** What stands in place of an empty source or job type. */
export const noName = '(none)';

/** Characters of a digest that keep two shortened names apart. */
const digestChars = 32;

/**
 * A name as the model accepts it: not empty, at most `nameCharsMax` UTF-16 units, without NUL and half characters. Names
 * are shortened in SQL already; here only those that are longer in UTF-16 (emoji count twice) are, again with a digest,
 * so that different names stay different.
 */
export const toName = (text: string | null): string => toNameOrNull(text) ?? noName;

/** The same for a field that may be absent: null and empty are null. */
export const toNameOrNull = (text: string | null): string | null => {
  const name = (text ?? '').replaceAll('\0', '').toWellFormed();
  if (name === '') return null;
  if (name.length <= nameCharsMax) return name;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, digestChars);
  return `${name.slice(0, nameCharsMax - digestChars - 1).toWellFormed()}~${digest}`;
};
