import { FailureSignal } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { cleanText } from '../jsonb.ts';
import type { HeldFailure } from '../store.ts';

/** Most held failures of one key in an answer; the newest are given. */
export const heldPerKeyMax = 1_000;

// Index held_failures_by_key, read backwards for each key up to the limit.
export const heldFailuresText = `
select newest.key, newest.rule, newest.signal
from (select distinct key from unnest($1::text[]) as wanted (key)) as wanted
cross join lateral (
  select outcome_id, key, rule, failed_at, signal
  from tocsin.held_failures as held
  where held.key = wanted.key
  order by held.failed_at desc, held.outcome_id desc
  limit $2
) as newest
order by newest.failed_at, newest.outcome_id`;

/**
 * The newest failures held for these keys, at most {@link heldPerKeyMax} of each, oldest first. Throws ZodError on a
 * damaged row.
 */
export const heldFailures = async (tx: Queryable, keys: readonly string[]): Promise<readonly HeldFailure[]> => {
  if (keys.length === 0) return [];
  const values = [keys.map(cleanText), heldPerKeyMax];
  const { rows } = await tx.query<Record<'key' | 'rule', string> & { readonly signal: unknown }>(
    heldFailuresText,
    values,
  );
  return rows.map(({ key, rule, signal }) => ({ key, rule, signal: FailureSignal.parse(signal) }));
};
