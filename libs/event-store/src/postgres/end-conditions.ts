import type { OutcomeId } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { chunks } from '../chunks.ts';
import { toJsonb } from '../jsonb.ts';
import type { ConditionEnd } from '../store.ts';

// The primary key. Rows are locked in the order of their ids, so that two detectors that end the same conditions wait for
// each other; the second then finds them ended. A condition may end only once, so of two ends the first one stands.
export const endConditionsText = `
with ends as (
  select id, cause, note, "endedAt"
  from jsonb_to_recordset($1::jsonb) as ended (
    id uuid,
    cause text,
    note text,
    "endedAt" timestamptz
  )
), open as (
  select id
  from tocsin.outcomes
  where id = any($2::uuid[]) and subject is not null and ended_at is null
  order by id
  for update
)
update tocsin.outcomes
set
  ended_at = ends."endedAt",
  end_cause = ends.cause,
  end_note = ends.note
from open
join ends on ends.id = open.id
where outcomes.id = open.id
returning outcomes.id`;

/** Ends conditions; answers those that were open until now. Unknown ids, and outcomes that are no conditions, are left alone. */
export const endConditions = async (tx: Queryable, ends: readonly ConditionEnd[]): Promise<ReadonlySet<OutcomeId>> => {
  const ids = new Set<OutcomeId>();
  for (const rows of chunks(oncePerCondition(ends))) {
    const values = [toJsonb(rows), rows.map((row) => row.id)];
    for (const { id } of (await tx.query<{ readonly id: OutcomeId }>(endConditionsText, values)).rows) ids.add(id);
  }
  return ids;
};

/** One end per condition, the first, in the order of ids over all statements of one call. */
export const oncePerCondition = (ends: readonly ConditionEnd[]): readonly ConditionEnd[] => {
  const kept = new Map<OutcomeId, ConditionEnd>();
  for (const end of ends) if (!kept.has(end.id)) kept.set(end.id, end);
  return [...kept.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
};
