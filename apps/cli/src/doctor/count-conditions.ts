import type { Queryable } from '@tocsin/runtime';

/** Conditions of one kind that hold in one table. */
export interface ConditionCount {
  readonly table: string;
  readonly kind: string;
  readonly conditions: number;
  /** Milliseconds since the oldest of them began. */
  readonly oldestMs: number;
  /** What the oldest is about: a job's id, `schedule:<name>`, `table:<reason>` … */
  readonly oldestJobId: string;
}

// Index outcomes_open_conditions, which holds the open ones only.
const text = `
select
  job_table as "table",
  kind,
  count(*)::integer as conditions,
  (extract(epoch from statement_timestamp() - min(failed_at)) * 1000)::double precision as "oldestMs",
  (array_agg(job_id order by failed_at))[1] as "oldestJobId"
from tocsin.outcomes
where subject is not null and ended_at is null
group by job_table, kind
order by job_table, kind`;

/** Conditions that were announced and have not ended, by table and kind. */
export const countConditions = async (queryable: Queryable): Promise<readonly ConditionCount[]> =>
  (await queryable.query<ConditionCount>(text)).rows;
