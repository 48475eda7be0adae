import type { OutcomeId } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';

// The primary key, once per outcome asked for.
const text = `
select asked.id
from unnest($1::uuid[]) as asked (id)
where not exists (
  select from tocsin.outcomes
  where outcomes.id = asked.id and outcomes.disposition is not null
)`;

/** Of these outcomes, those that nobody has dealt with: never signalled, or signalled and not yet decided. */
export const withoutDisposition = async (
  queryable: Queryable,
  ids: readonly OutcomeId[],
): Promise<ReadonlySet<OutcomeId>> =>
  ids.length === 0
    ? new Set()
    : new Set((await queryable.query<{ readonly id: OutcomeId }>(text, [ids])).rows.map(({ id }) => id));
