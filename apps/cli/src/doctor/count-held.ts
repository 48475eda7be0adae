import type { Queryable } from '@tocsin/runtime';

/** Failures below the threshold of their rule. */
export interface HeldCount {
  readonly failures: number;
  readonly keys: number;
  /** Milliseconds since the oldest was held; null when there is none. */
  readonly oldestMs: number | null;
  /** Recorded as held, but no longer kept, so that they could never be told. */
  readonly lost: number;
}

// Small by nature, but for the last count, which reads tocsin.outcomes, now and then.
const text = `
select
  count(*)::integer as failures,
  count(distinct key)::integer as keys,
  (extract(epoch from statement_timestamp() - min(held_at)) * 1000)::double precision as "oldestMs",
  (
    select count(*)::integer
    from tocsin.outcomes
    where disposition = 'held'
      and not exists (select from tocsin.held_failures as held where held.outcome_id = outcomes.id)
  ) as lost
from tocsin.held_failures`;

export const countHeld = async (queryable: Queryable): Promise<HeldCount> =>
  (await queryable.query<HeldCount>(text)).rows[0] ?? { failures: 0, keys: 0, oldestMs: null, lost: 0 };
