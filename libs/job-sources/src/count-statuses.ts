import type { Queryable } from '@tocsin/runtime';
import type { JobSource } from './job-source.ts';

/** Most rows looked at; beyond that a sample of about this size is taken. */
const sampleRowsMax = 50_000;
/** Different values reported; a column with more is not a status. */
const statusesMax = 100;

export interface StatusCount {
  readonly status: string | null;
  /** Rows with it, extrapolated when a sample was taken. */
  readonly rows: number;
  /** Not a value the mapping knows: such rows are never told. */
  readonly unknown: boolean;
}

/**
 * How often each status occurs. Exact for small tables; for others from random blocks of the table, so a very rare value
 * may be missed. For a start-up check and `doctor`, not for every poll: it reads up to 50,000 rows.
 */
export const countStatuses = async (
  queryable: Queryable,
  source: JobSource,
): Promise<{ readonly statuses: readonly StatusCount[]; readonly sampled: boolean }> => {
  const { mapping, table } = source;
  const size = await queryable.query<{ readonly rows: number; readonly kind: string }>(
    `
    select
      -- Never analysed: assume short rows, so that the sample errs on the small side.
      case when reltuples >= 0 then reltuples else pg_relation_size(oid) / 100 end::float8 as rows,
      relkind as kind
    from pg_class
    where oid = $1::regclass`,
    [table],
  );
  const { rows: estimated = 0, kind = 'v' } = size.rows[0] ?? {};
  const share = Math.min(1, sampleRowsMax / Math.max(1, estimated));
  const sampled = share < 1 && 'rm'.includes(kind);
  const status = mapping.columns.status.column.replaceAll('"', '""');
  const counted = await queryable.query<{ readonly status: string | null; readonly rows: number }>(
    `
    select sample.status::text as status, count(*) as rows
    from (select "${status}" as status from ${table} ${sampled ? 'tablesample system ($2)' : ''} limit $1) as sample
    group by 1
    order by 2 desc
    limit ${statusesMax}`,
    sampled ? [2 * sampleRowsMax, share * 100] : [2 * sampleRowsMax],
  );
  const { failed, dead, succeeded, quiet } = mapping.states;
  const known = new Set([...failed, ...dead, ...succeeded, ...quiet]);
  return {
    sampled,
    statuses: counted.rows.map(({ status: value, rows }) => ({
      status: value,
      rows: sampled ? Math.round(rows / share) : rows,
      unknown: value === null || !known.has(value),
    })),
  };
};
