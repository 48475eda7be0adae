import type { Queryable } from '@tocsin/runtime';
import { instantText } from '../instant.ts';
import { cleanText } from '../jsonb.ts';
import type { OpenCondition } from '../store.ts';

// Index outcomes_open_conditions, which holds the open ones only and begins with the table.
export const openConditionsText = `
select
  id,
  kind,
  job_id as "jobId",
  ${instantText('failed_at')} as "failedAt",
  subject
from tocsin.outcomes
where job_table = $1 and subject is not null and ended_at is null
order by outcomes.failed_at, id
limit $2`;

/** Conditions of a table that were announced and have not ended, oldest first, at most `limit`. */
export const openConditions = async (tx: Queryable, table: string, limit: number): Promise<readonly OpenCondition[]> =>
  (await tx.query<OpenCondition>(openConditionsText, [cleanText(table), limit])).rows;
