import { readFileSync } from 'node:fs';

const pageOf = (adapter: string): string =>
  readFileSync(new URL(`../../../../docs/adapters/${adapter}.md`, import.meta.url), 'utf8');

/** What the page of the adapter tells people to grant, as they would paste it. */
export const grantsOnPage = (adapter: string): string => {
  const grants = /```sql\n(create role tocsin_reader[\s\S]*?)```/.exec(pageOf(adapter))?.[1];
  if (grants === undefined) throw new Error(`docs/adapters/${adapter}.md has no grants for the role tocsin_reader.`);
  return grants;
};

/** The statements that create indexes on the page of the adapter, in the writing of `withoutQuotes`. */
export const indexesOnPage = (adapter: string): readonly string[] =>
  [...pageOf(adapter).matchAll(/create index concurrently [^;]+;/g)].map(([statement]) => withoutQuotes(statement));

/** A statement on one line and without quoted names, so that two writings of it compare equal. */
export const withoutQuotes = (statement: string): string => statement.replaceAll('"', '').replaceAll(/\s+/g, ' ');
