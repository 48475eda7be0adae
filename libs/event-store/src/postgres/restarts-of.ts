import type { Instant } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { instantText } from '../instant.ts';
import { cleanText } from '../jsonb.ts';

/** How often a job was put back into its queue. */
export interface Restarts {
  readonly restarts: number;
  /** When last: the end of the repair, or its beginning while it has not ended. */
  readonly lastAt: Instant;
}

// Index repairs_by_job. What was intended counts too: nobody knows that it was not done.
export const restartsOfText = `
select
  job_id as "jobId",
  count(*)::integer as restarts,
  ${instantText('max(coalesce(settled_at, intended_at))')} as "lastAt"
from tocsin.repairs
where job_table = $1 and job_id = any($2::text[]) and action = 'requeue' and state <> 'skipped'
group by job_id`;

/** How often each of these jobs was requeued; jobs never requeued are left out. */
export const restartsOf = async (
  tx: Queryable,
  table: string,
  jobIds: readonly string[],
): Promise<ReadonlyMap<string, Restarts>> => {
  if (jobIds.length === 0) return new Map();
  const values = [cleanText(table), jobIds.map(cleanText)];
  const { rows } = await tx.query<Restarts & { readonly jobId: string }>(restartsOfText, values);
  return new Map(rows.map(({ jobId, restarts, lastAt }) => [jobId, { restarts, lastAt }]));
};
