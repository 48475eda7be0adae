import type { Instant } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { utcText } from './sql-expressions.ts';

/** Characters of the statement that are shown. */
const queryCharsMax = 200;

/** The transaction that has been writing the longest; every field is null when there is none. */
export interface OldestWriter {
  readonly startedAt: Instant | null;
  readonly pid: number | null;
  readonly applicationName: string | null;
  /** What its connection is doing: `active`, `idle in transaction` … */
  readonly state: string | null;
  /** The beginning of its last statement; null for a role that may not see it. */
  readonly query: string | null;
}

/** For diagnosis: what holds the cursor back. Transactions of other roles show only to members of pg_read_all_stats. */
export const readOldestWriter = async (queryable: Queryable): Promise<OldestWriter> => {
  const { rows } = await queryable.query<OldestWriter>(`
    select
      ${utcText('activity.xact_start')} as "startedAt",
      activity.pid,
      nullif(activity.application_name, '') as "applicationName",
      activity.state,
      left(activity.query, ${queryCharsMax}) as query
    from pg_catalog.pg_stat_activity as activity
    where activity.datname = current_database()
      and activity.backend_xid is not null
      and activity.pid <> pg_backend_pid()
      and activity.backend_type is distinct from 'autovacuum worker'
    order by activity.xact_start
    limit 1`);
  return rows[0] ?? { startedAt: null, pid: null, applicationName: null, state: null, query: null };
};
