import type { OutcomeId } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';

/** Whether a condition still holds. */
export interface ConditionState {
  readonly id: OutcomeId;
  /** Null while it holds. */
  readonly endedAt: string | null;
  readonly cause: string | null;
  readonly note: string | null;
}

// The primary key.
const text = `
select
  id,
  to_char(ended_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "endedAt",
  end_cause as cause,
  end_note as note
from tocsin.outcomes
where id = any($1::uuid[]) and subject is not null`;

/** Of these outcomes, those that are conditions, by id. */
export const readConditionEnds = async (
  queryable: Queryable,
  ids: readonly OutcomeId[],
): Promise<ReadonlyMap<OutcomeId, ConditionState>> =>
  new Map((await queryable.query<ConditionState>(text, [ids])).rows.map((row) => [row.id, row]));
