import type { OutcomeId } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { instantText } from '../instant.ts';
import type { EndedCondition } from '../store.ts';

// The primary key.
export const endedConditionsText = `
select
  id,
  job_table as "table",
  kind,
  job_id as "jobId",
  end_cause as cause,
  end_note as note,
  ${instantText('ended_at')} as "endedAt"
from tocsin.outcomes
where id = any($1::uuid[]) and ended_at is not null
order by id`;

/** Of these outcomes, those that are conditions and have ended, in the order of ids. */
export const endedConditions = async (tx: Queryable, ids: readonly OutcomeId[]): Promise<readonly EndedCondition[]> =>
  ids.length === 0 ? [] : (await tx.query<EndedCondition>(endedConditionsText, [ids])).rows;
