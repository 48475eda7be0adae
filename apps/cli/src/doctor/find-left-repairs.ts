import type { Queryable } from '@tocsin/runtime';

/** A repair whose end was never recorded. */
export interface LeftRepair {
  readonly table: string;
  readonly jobId: string;
  readonly action: string;
  /** Milliseconds since it was intended. */
  readonly ageMs: number;
}

// Index repairs_intended, which is empty when all is well.
const text = `
select
  job_table as "table",
  job_id as "jobId",
  action,
  (extract(epoch from statement_timestamp() - intended_at) * 1000)::double precision as "ageMs"
from tocsin.repairs
where state = 'intended' and intended_at < statement_timestamp() - $1 * interval '1 millisecond'
order by intended_at
limit $2`;

/** Repairs intended longer ago than that, oldest first. */
export const findLeftRepairs = async (
  queryable: Queryable,
  olderThanMs: number,
  limit: number,
): Promise<readonly LeftRepair[]> => (await queryable.query<LeftRepair>(text, [olderThanMs, limit])).rows;
