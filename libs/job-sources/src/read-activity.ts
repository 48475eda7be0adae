import type { Queryable } from '@tocsin/runtime';
import type { JobSource } from './job-source.ts';

/**
 * How many rows of the watched table were ever inserted, updated and deleted, by the counters that Postgres keeps anyway
 * (pg_stat_user_tables; partitions are summed). It only grows, but for a reset of the statistics. Null for what keeps no
 * counters: views and foreign tables. https://www.postgresql.org/docs/current/monitoring-stats.html
 */
export const readActivity = async (queryable: Queryable, { table }: JobSource): Promise<number | null> => {
  const { rows } = await queryable.query<{ readonly changes: number | null }>(
    `
    with part as (
      select $1::regclass::oid as relid
      union
      select relid::oid from pg_partition_tree($1::regclass)
    )
    select sum(stat.n_tup_ins + stat.n_tup_upd + stat.n_tup_del)::float8 as changes
    from part
    join pg_catalog.pg_stat_user_tables as stat on stat.relid = part.relid`,
    [table],
  );
  return rows[0]?.changes ?? null;
};
