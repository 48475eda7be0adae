import type { Queryable } from '@tocsin/runtime';
import { cleanText } from '../jsonb.ts';
import { outcomeRecordColumns } from './outcome-record.ts';
import type { OutcomeRecord } from './outcome-record.ts';

/** Most outcomes of one job in an answer; the newest are kept. */
export const outcomesPerJobMax = 1_000;

// Index outcomes_by_job, which begins with the job.
const text = `
select ${outcomeRecordColumns}
from tocsin.outcomes
where outcomes.job_id = $1 and ($2::text is null or outcomes.job_table = $2)
order by outcomes.failed_at desc, outcomes.id
limit $3`;

/** The outcomes of one job, newest first. Without `table`, of every job with this id, whatever its table. */
export const outcomesOfJob = async (
  queryable: Queryable,
  job: { readonly table?: string; readonly jobId: string },
): Promise<readonly OutcomeRecord[]> =>
  (await queryable.query<OutcomeRecord>(text, [cleanText(job.jobId), job.table ?? null, outcomesPerJobMax])).rows;
