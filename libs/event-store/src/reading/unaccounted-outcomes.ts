import type { Queryable } from '@tocsin/runtime';
import { outcomeRecordColumns } from './outcome-record.ts';
import type { OutcomeRecord } from './outcome-record.ts';

/** Most samples of unaccounted outcomes. */
export const unaccountedSamplesMax = 10;

export interface UnaccountedOutcomes {
  readonly count: number;
  /** The oldest of them, at most {@link unaccountedSamplesMax}. */
  readonly samples: readonly OutcomeRecord[];
}

// Index outcomes_unaccounted, which is empty when all is well.
export const unaccountedCountText = `
select count(*)::integer as count
from tocsin.outcomes
where disposition is null and signalled_at < statement_timestamp() - $1 * interval '1 millisecond'`;

const samplesText = `
select ${outcomeRecordColumns}
from tocsin.outcomes
where outcomes.disposition is null and outcomes.signalled_at < statement_timestamp() - $1 * interval '1 millisecond'
order by outcomes.signalled_at
limit $2`;

/** Outcomes signalled longer ago than that, by the database's clock, which nobody has dealt with. */
export const unaccountedOutcomes = async (queryable: Queryable, olderThanMs: number): Promise<UnaccountedOutcomes> => {
  const counted = await queryable.query<{ readonly count: number }>(unaccountedCountText, [olderThanMs]);
  const count = counted.rows[0]?.count ?? 0;
  if (count === 0) return { count, samples: [] };
  return {
    count,
    samples: (await queryable.query<OutcomeRecord>(samplesText, [olderThanMs, unaccountedSamplesMax])).rows,
  };
};
