import type { Queryable } from '@tocsin/runtime';
import { cleanText } from '../jsonb.ts';
import type { IntendedRepair } from '../store.ts';

// Index repairs_intended, which is empty when all is well.
export const intendedRepairsText = `
select
  id,
  outcome_id as "outcomeId",
  job_table as "table",
  job_id as "jobId",
  action,
  restart
from tocsin.repairs
where job_table = $1 and state = 'intended' and intended_at <= clock_timestamp() - $3 * interval '1 millisecond'
order by intended_at, id
limit $2`;

/** Repairs of a table that were intended so long ago and whose end was never recorded, oldest first, at most `limit`. */
export const intendedRepairs = async (
  tx: Queryable,
  table: string,
  olderThanMs: number,
  limit: number,
): Promise<readonly IntendedRepair[]> =>
  (await tx.query<IntendedRepair>(intendedRepairsText, [cleanText(table), limit, olderThanMs])).rows;
