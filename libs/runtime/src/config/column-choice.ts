import type { ColumnChoice } from './config.ts';

/** Longest name of a column, in bytes: https://www.postgresql.org/docs/current/sql-syntax-lexical.html (NAMEDATALEN). */
const COLUMN_BYTES_MAX = 63;
/** Longest key below a JSON column, in characters. */
const KEY_CHARACTERS_MAX = 200;
/** Most keys below a JSON column. */
const PATH_KEYS_MAX = 8;

const RULE =
  'must be a column, such as account_id, or a path into a JSON column, such as payload.account_id; put an odd name in double quotes, such as \'"Account-Id"\'';

/**
 * What is wrong with a column or path as written in the file, and the cure, or undefined. Written is a column, then
 * keys below it, divided by dots. A column is letters, digits, `_` and `$`; a key may have dashes and begin with a digit.
 * Anything else stands in double quotes, a double quote in it doubled, as in SQL. Upper and lower case count.
 */
export function columnProblem(written: string): string | undefined {
  const parts = partsOf(written);
  if (parts === undefined) return RULE;
  const [column = '', ...path] = parts;
  if (column === '' || path.includes('')) return 'must not name an empty column or key';
  if (Buffer.byteLength(column) > COLUMN_BYTES_MAX) return `the name of a column has at most ${COLUMN_BYTES_MAX} bytes`;
  if (path.length > PATH_KEYS_MAX) return `a path has at most ${PATH_KEYS_MAX} keys below its column`;
  if (path.some((key) => key.length > KEY_CHARACTERS_MAX)) return `a key has at most ${KEY_CHARACTERS_MAX} characters`;
  return written.includes('\u0000') ? 'must not contain a NUL character' : undefined;
}

/** Reads what `columnProblem` finds nothing wrong with. */
export function parseColumn(written: string): ColumnChoice {
  const [column = '', ...path] = partsOf(written) ?? [];
  return { column, path };
}

function partsOf(written: string): readonly string[] | undefined {
  const parts: string[] = [];
  let rest = written;
  for (;;) {
    const found = (
      parts.length === 0 ? /^(?:"((?:[^"]|"")*)"|([A-Za-z_][\w$]*))/ : /^(?:"((?:[^"]|"")*)"|([\w$-]+))/
    ).exec(rest);
    if (found === null) return undefined;
    parts.push(found[1]?.replaceAll('""', '"') ?? found[2] ?? '');
    rest = rest.slice(found[0].length);
    if (rest === '') return parts;
    if (!rest.startsWith('.')) return undefined;
    rest = rest.slice(1);
  }
}
