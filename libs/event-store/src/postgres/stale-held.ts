import { FailureSignal } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import type { HeldFailure } from '../store.ts';

// Index held_failures_by_age.
export const staleHeldText = `
select key, rule, signal
from tocsin.held_failures
where held_at < statement_timestamp() - $1 * interval '1 millisecond'
order by held_at
limit $2`;

/** Failures held for longer than that by the database's clock, the longest held first, at most `limit`. */
export const staleHeld = async (tx: Queryable, olderThanMs: number, limit: number): Promise<readonly HeldFailure[]> => {
  const { rows } = await tx.query<Record<'key' | 'rule', string> & { readonly signal: unknown }>(staleHeldText, [
    olderThanMs,
    limit,
  ]);
  return rows.map(({ key, rule, signal }) => ({ key, rule, signal: FailureSignal.parse(signal) }));
};
