import type { Queryable } from '@tocsin/runtime';

/** The tables of Tocsin's own schemas in which a row holds this text, anywhere. */
export const tablesHolding = async (queryable: Queryable, needle: string): Promise<readonly string[]> => {
  const tables = await queryable.query<{ readonly name: string }>(
    `select format('%I.%I', schemaname, tablename) as name
     from pg_tables
     where schemaname in ('tocsin', 'pgboss')
     order by 1`,
  );
  const found: string[] = [];
  for (const { name } of tables.rows) {
    const { rows } = await queryable.query<{ readonly holds: boolean }>(
      `select exists (select from ${name} as candidate where position($1 in candidate::text) > 0) as holds`,
      [needle],
    );
    if (rows[0]?.holds === true) found.push(name);
  }
  return found;
};
