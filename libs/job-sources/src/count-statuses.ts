import type { Queryable } from '@tocsin/runtime';
import type { JobSource } from './job-source.ts';

/** Most rows looked at; beyond that a sample of about this size is taken. */
const sampleRowsMax = 50_000;
export interface StatusCount {
  readonly status: string | null;
  /** Rows with it, extrapolated when a sample was taken. */
  readonly rows: number;
  /** Rows with it are in none of the states that the mapping knows: they are never told. */
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
  const { table, statements, isRelation } = source;
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
  const sampled = share < 1 && 'rm'.includes(kind) && !isRelation;
  const counted = await queryable.query<{
    readonly status: string | null;
    readonly unknown: boolean;
    readonly rows: number;
  }>(
    sampled ? statements.statusCounts.sampled : statements.statusCounts.first,
    sampled ? [2 * sampleRowsMax, share * 100] : [2 * sampleRowsMax],
  );
  return {
    sampled,
    statuses: counted.rows.map(({ status, unknown, rows }) => ({
      status,
      rows: sampled ? Math.round(rows / share) : rows,
      unknown,
    })),
  };
};
