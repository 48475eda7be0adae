import type { Queryable } from '@tocsin/runtime';

// Index repairs_by_age. A repair is kept while its outcome is known: without it the outcome might be acted upon again.
// Outcomes are forgotten first, so a repair goes soon after the outcome it was for. The limit comes before the look at
// the outcomes, else the planner reads all of them. Rows that another process deletes are left to it.
export const forgetRepairsText = `
with old as (
  select id, outcome_id
  from tocsin.repairs
  where settled_at < statement_timestamp() - $1 * interval '1 millisecond'
  order by settled_at
  limit $2
  for update skip locked
)
delete from tocsin.repairs
using old
where
  repairs.id = old.id
  and not exists (select from tocsin.outcomes where outcomes.id = old.outcome_id)`;

/**
 * Looks at the repairs that ended longer ago than that, oldest first, at most `limit`, and deletes those whose outcome is
 * forgotten; answers how many. From then on they count no more in `restartsOf`.
 */
export const forgetRepairs = async (tx: Queryable, olderThanMs: number, limit: number): Promise<number> =>
  (await tx.query(forgetRepairsText, [olderThanMs, limit])).rowCount;
