import { InvariantError } from './errors.ts';
import type { Queryable } from './pool.ts';

/**
 * The time by the database's clock, as an ISO-8601 instant in UTC. Every comparison with a time in a table uses this
 * clock: workers' clocks differ, the database's is one. It moves on inside a transaction (`clock_timestamp()`, not
 * `now()`, which stands still there).
 */
export async function databaseNow(queryable: Queryable): Promise<string> {
  const { rows } = await queryable.query<{ readonly now: string }>('select clock_timestamp() as now');
  const now = rows[0]?.now;
  if (now === undefined) throw new InvariantError('select clock_timestamp() returned no row.');
  return now;
}
