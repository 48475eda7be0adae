import type { ColumnUse } from './adapter-mapping.ts';
import type { ValueType } from './column-types.ts';
import { bigintType, textType } from './column-types.ts';
import { quoteLiteral } from './table-name.ts';

/** More digits than any count of parts has, and few enough that no cast overflows. */
const countPattern = "'^-?[0-9]{1,15}$'";

/**
 * A value below a json or jsonb column: as json for the use `document`, as a whole number for `count` (null when it is
 * none), else as text. Never fails, whatever the document holds: json that a worker wrote with `\u0000` or half a
 * surrogate pair is refused by Postgres's operators, so in json (jsonb cannot hold it) such characters are replaced first.
 *
 * @param reference the column, in parentheses or with its alias
 */
export const pathExpression = (
  reference: string,
  column: ValueType,
  path: readonly string[],
  use: ColumnUse,
): { readonly sql: string; readonly type: ValueType } => {
  const keys = `${quoteLiteral(`{${path.map(arrayElement).join(',')}}`)}::text[]`;
  const document =
    column.type === 'jsonb'
      ? reference
      : `regexp_replace(${reference}::text, '\\\\u(0000|[dD][89a-fA-F][0-9a-fA-F]{2})', '\\\\ufffd', 'g')::json`;
  if (use === 'document') return { sql: `(${document} #> ${keys})`, type: { ...textType, ...column } };
  const text = `${document} #>> ${keys}`;
  return use === 'count'
    ? { sql: `(case when (${text}) ~ ${countPattern} then (${text})::bigint end)`, type: bigintType }
    : { sql: `(${text})`, type: textType };
};

/** An element of an array literal (https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO). */
const arrayElement = (key: string): string =>
  /^(?!null$)[a-z_]\w*$/i.test(key) ? key : `"${key.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
