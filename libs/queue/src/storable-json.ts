/**
 * What JSON can say and `jsonb` cannot store: U+0000 and half a surrogate pair (Postgres, "JSON Types": both are refused).
 * `JSON.stringify` writes both as an escape; an even number of backslashes before it means that it is only text.
 */
const UNSTORABLE = /(?<!\\)((?:\\\\)*)\\u(?:0000|[dD][89a-fA-F][0-9a-fA-F]{2})/g;

/**
 * Returns `value` if Postgres can store it as `jsonb`, else a copy with each character that it cannot store replaced by
 * U+FFFD: text cut in the middle of an emoji must not stop the queue. `text` is the value's JSON.
 */
export function storableJson(value: unknown): { readonly value: unknown; readonly text: string } {
  const text = JSON.stringify(value);
  UNSTORABLE.lastIndex = 0;
  if (!UNSTORABLE.test(text)) return { value, text };
  const stored = text.replace(UNSTORABLE, '$1\uFFFD');
  return { value: JSON.parse(stored) as unknown, text: stored };
}
