import { InvariantError } from '@tocsin/runtime';
import type { Queryable } from '@tocsin/runtime';
import type { Horizon } from './cursor.ts';
import type { HorizonRow } from './failure-row.ts';
import { utcText } from './sql-expressions.ts';

/**
 * Time and running writers as they are when the statement begins. Other roles' transactions show only to members of
 * pg_read_all_stats. Autovacuum writes no jobs.
 */
export const horizonText = `
  select
    ${utcText('statement_timestamp()')} as read_at,
    (
      select ${utcText('min(activity.xact_start)')}
      from pg_catalog.pg_stat_activity as activity
      where activity.datname = current_database()
        and activity.backend_xid is not null
        and activity.pid <> pg_backend_pid()
        and activity.backend_type is distinct from 'autovacuum worker'
    ) as oldest_writer_at`;

/** Time and running writers of the database at this moment; for the first page, which has none before it. */
export const readHorizon = async (queryable: Queryable): Promise<Horizon> => {
  const { rows } = await queryable.query<HorizonRow>(horizonText);
  const row = rows[0];
  if (row === undefined) throw new InvariantError('The statement that reads the time of the database returned no row.');
  return { readAt: row.read_at, oldestWriterAt: row.oldest_writer_at };
};
