/** What `jsonb` refuses or mangles: U+0000 (https://www.postgresql.org/docs/current/datatype-json.html) and lone surrogates. */
const unstorableEscape = /\\u(?:0000|d[89a-f])/;

/**
 * Text as Postgres can hold it: without U+0000, which neither `text` nor `jsonb` allows, and with lone surrogates, which
 * are not Unicode text, replaced by U+FFFD. Everything else is kept.
 */
export const cleanText = (text: string): string => text.replaceAll('\u0000', '').toWellFormed();

/**
 * JSON text for a `jsonb` parameter, with every string and key in it cleaned by {@link cleanText}. `undefined` becomes
 * null. Note that jsonb does not keep the order of keys; see {@link asStoredJsonb}.
 */
export const toJsonb = (value: unknown): string => {
  const json = JSON.stringify(value) ?? 'null';
  // JSON.stringify writes exactly these two kinds as escapes, so most values are not walked at all.
  return unstorableEscape.test(json) ? JSON.stringify(cleaned(JSON.parse(json))) : json;
};

/**
 * The value as it comes back after a round through a `jsonb` column: cleaned, without what JSON cannot say, and with the
 * keys of each object in jsonb's own order (shorter first, then by bytes). For the in-memory twin, so that code which
 * relies on the order of keys fails there too.
 */
export const asStoredJsonb = <Value>(value: Value): Value => sorted(JSON.parse(toJsonb(value))) as Value;

const cleaned = (value: unknown): unknown => {
  if (typeof value === 'string') return cleanText(value);
  if (Array.isArray(value)) return value.map(cleaned);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [cleanText(key), cleaned(member)]));
};

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const members = Object.entries(value).map(([key, member]) => ({ key, bytes: Buffer.from(key), member }));
  members.sort((a, b) => a.bytes.length - b.bytes.length || Buffer.compare(a.bytes, b.bytes));
  return Object.fromEntries(members.map(({ key, member }) => [key, sorted(member)]));
};
