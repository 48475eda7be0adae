import { InvariantError } from '@tocsin/runtime';
import type { Queryable } from '@tocsin/runtime';
import type { ValueType } from './column-types.ts';

/** Rows of `from` joined so that there is exactly one, all of it null: types can be asked without reading a row. */
const nullRow = (from: string): string => `(values (1)) as one (n) left join ${from} as job on false`;

/** Names of the columns of what is read. */
export const readColumnNames = async (queryable: Queryable, from: string): Promise<readonly string[]> => {
  const { rows } = await queryable.query<{ readonly name: string }>(`
    select jsonb_object_keys(to_jsonb(shape)) as name
    from (select job.* from ${nullRow(from)}) as shape`);
  return rows.map(({ name }) => name);
};

/** The type of each expression over `from` (alias `job`), in order. */
export const readTypes = async (
  queryable: Queryable,
  from: string,
  expressions: readonly string[],
): Promise<readonly ValueType[]> => {
  if (expressions.length === 0) return [];
  const { rows } = await queryable.query<ValueType>(`
    with recursive asked as (
      select array[${expressions.map((expression) => `pg_typeof(${expression})`).join(', ')}]::oid[] as types
      from ${nullRow(from)}
    ), typed as (
      select each.n, each.oid from asked, unnest(asked.types) with ordinality as each (oid, n)
      union all
      -- A domain is taken as what it is made of, which may be a domain again.
      select typed.n, domain.typbasetype
      from typed
      join pg_catalog.pg_type as domain on domain.oid = typed.oid and domain.typtype = 'd'
    )
    select
      format_type(typ.oid, null) as type,
      typ.typcategory as category,
      (select json_agg(label.enumlabel) from pg_catalog.pg_enum as label where label.enumtypid = typ.oid) as "enumLabels"
    from typed
    join pg_catalog.pg_type as typ on typ.oid = typed.oid and typ.typtype <> 'd'
    order by typed.n`);
  if (rows.length !== expressions.length)
    throw new InvariantError(`Asked the types of ${expressions.length} expressions and was told ${rows.length}.`);
  return rows;
};
