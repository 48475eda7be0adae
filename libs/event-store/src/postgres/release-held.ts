import type { OutcomeId } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';

// The primary key. Locked in the order of ids, so that two notifiers that release the same failures wait for each other.
export const releaseHeldText = `
with released as (
  select outcome_id
  from tocsin.held_failures
  where outcome_id = any($1::uuid[])
  order by outcome_id
  for update
)
delete from tocsin.held_failures
using released
where held_failures.outcome_id = released.outcome_id`;

/** Forgets held failures. Those that are not held are left out. */
export const releaseHeld = async (tx: Queryable, ids: readonly OutcomeId[]): Promise<void> => {
  if (ids.length > 0) await tx.query(releaseHeldText, [ids]);
};
