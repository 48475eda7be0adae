import type { Queryable } from '@tocsin/runtime';
import type { CatalogColumn } from './column-types.ts';
import type { TableName } from './table-name.ts';

/** An index of a table, as far as it matters for which statements it serves. */
export interface CatalogIndex {
  readonly name: string;
  /** Key columns in order: the column's name, or the expression in parentheses. */
  readonly keys: readonly string[];
  /** Predicate of a partial index, else null. */
  readonly predicate: string | null;
}

/** A table as the catalogue describes it to this user. */
export interface CatalogTable {
  readonly oid: number;
  readonly schema: string;
  readonly table: string;
  /** pg_class.relkind: r table, p partitioned, v view, m materialised view, f foreign table. */
  readonly kind: string;
  readonly schemaUsable: boolean;
  readonly rowSecurity: boolean;
  readonly columns: readonly CatalogColumn[];
  readonly indexes: readonly CatalogIndex[];
}

/** What the server is and what this user may see of it. */
export interface CatalogServer {
  readonly user: string;
  readonly inRecovery: boolean;
  readonly seesAllWriters: boolean;
}

const describeTables = `
    select
      rel.oid,
      nsp.nspname as "schema",
      rel.relname as "table",
      rel.relkind as "kind",
      has_schema_privilege(nsp.oid, 'usage') as "schemaUsable",
      row_security_active(rel.oid) as "rowSecurity",
      coalesce((
        select json_agg(json_build_object(
          'name', att.attname,
          'type', format_type(base.oid, null),
          'category', base.typcategory,
          'enumLabels', (select json_agg(label.enumlabel) from pg_enum as label where label.enumtypid = base.oid),
          'selectable', has_column_privilege(rel.oid, att.attnum, 'select')
        ))
        from pg_attribute as att
        join pg_type as typ on typ.oid = att.atttypid
        join pg_type as base on base.oid = case when typ.typtype = 'd' then typ.typbasetype else typ.oid end
        where att.attrelid = rel.oid and att.attnum > 0 and not att.attisdropped
      ), '[]') as "columns",
      coalesce((
        select json_agg(json_build_object(
          'name', (select named.relname from pg_class as named where named.oid = ind.indexrelid),
          'keys', (select json_agg(pg_get_indexdef(ind.indexrelid, key.n, true) order by key.n) from generate_series(1, ind.indnkeyatts) as key (n)),
          'predicate', pg_get_expr(ind.indpred, ind.indrelid, true)
        ))
        from pg_index as ind
        where ind.indrelid = rel.oid and ind.indisvalid
      ), '[]') as "indexes"
    from pg_class as rel
    join pg_namespace as nsp on nsp.oid = rel.relnamespace
    where nsp.nspname = any($1) and rel.relname = any($2) and rel.relkind in ('r', 'p', 'v', 'm', 'f')`;

/** The table of that name, null when there is none. A bare name is tried as written, then in lower case as SQL reads it. */
export const readCatalogTable = async (queryable: Queryable, name: TableName): Promise<CatalogTable | null> => {
  const spellings = ({ name: text, quoted }: { name: string; quoted: boolean }): string[] =>
    quoted ? [text] : [text, text.toLowerCase()];
  const { rows } = await queryable.query<CatalogTable>(
    `${describeTables}
    order by nsp.nspname = $3 desc, rel.relname = $4 desc
    limit 1`,
    [spellings(name.schema), spellings(name.table), name.schema.name, name.table.name],
  );
  return rows[0] ?? null;
};

/** Those of the named tables that are in the schema, by name as spelt. */
export const readCatalogSiblings = async (
  queryable: Queryable,
  schema: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, CatalogTable>> => {
  if (names.length === 0) return new Map();
  const { rows } = await queryable.query<CatalogTable>(describeTables, [[schema], names]);
  return new Map(rows.map((found) => [found.table, found]));
};

/** Other places where a table of that name is, `schema.table`, at most three. */
export const findNamesakes = async (queryable: Queryable, table: string): Promise<readonly string[]> => {
  const { rows } = await queryable.query<{ readonly name: string }>(
    `
    select format('%I.%I', nsp.nspname, rel.relname) as name
    from pg_class as rel
    join pg_namespace as nsp on nsp.oid = rel.relnamespace
    where lower(rel.relname) = lower($1) and rel.relkind in ('r', 'p', 'v', 'm', 'f')
    order by name
    limit 3`,
    [table],
  );
  return rows.map(({ name }) => name);
};

/** Facts of the server on the other end of the connection. */
export const readCatalogServer = async (queryable: Queryable): Promise<CatalogServer> => {
  const { rows } = await queryable.query<CatalogServer>(
    `
    select
      current_user as "user",
      pg_is_in_recovery() as "inRecovery",
      pg_has_role('pg_read_all_stats', 'usage') as "seesAllWriters"`,
  );
  return rows[0] ?? { user: 'unknown', inRecovery: false, seesAllWriters: false };
};
