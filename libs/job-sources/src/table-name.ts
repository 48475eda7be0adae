import { TocsinError } from '@tocsin/runtime';

/** Longest identifier Postgres keeps, in bytes (NAMEDATALEN - 1); it cuts longer ones, so that two names become one. */
const identifierBytesMax = 63;

/** A table as it was written: each part as given, and whether quotes forbid reading it in lower case. */
export interface TableName {
  readonly schema: { readonly name: string; readonly quoted: boolean };
  readonly table: { readonly name: string; readonly quoted: boolean };
}

/** Quotes an identifier as `quote_ident` would, always. The only way an identifier gets into a statement. */
export const quoteIdentifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Quotes text as a literal of a statement. Only for what a mapping says; values of users are parameters. */
export const quoteLiteral = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/**
 * Reads `schema.table`, each part bare or in double quotes as in SQL (`app."Job Runs"`). Without a schema: `public`.
 *
 * @throws TocsinError `TABLE_NAME_INVALID` when it is something else
 */
export const parseTableName = (text: string): TableName => {
  const parts = [...text.trim().matchAll(/(?:^|\.)(?:"((?:[^"]|"")+)"|([^".\s]+))(?=\.|$)/gy)];
  const read = parts.map(([, quoted, bare]) =>
    quoted === undefined ? { name: bare ?? '', quoted: false } : { name: quoted.replaceAll('""', '"'), quoted: true },
  );
  const complete = parts.map(([part]) => part).join('') === text.trim();
  const tooLong = read.some(({ name }) => Buffer.byteLength(name) > identifierBytesMax || name.includes('\0'));
  const [first, second] = read;
  if (!complete || tooLong || first === undefined || read.length > 2)
    throw new TocsinError(
      'TABLE_NAME_INVALID',
      `${JSON.stringify(text.slice(0, 200))} is not the name of a table; write schema.table, with double quotes around ` +
        `a part that holds blanks, dots or quotes ("My Jobs"); each part has at most ${identifierBytesMax} bytes.`,
    );
  return second === undefined
    ? { schema: { name: 'public', quoted: false }, table: first }
    : { schema: first, table: second };
};
