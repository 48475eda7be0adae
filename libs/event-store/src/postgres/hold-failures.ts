import type { Queryable } from '@tocsin/runtime';
import { chunks } from '../chunks.ts';
import { toJsonb } from '../jsonb.ts';
import type { HeldFailure } from '../store.ts';

// Ordered by id against deadlocks.
const text = `
insert into tocsin.held_failures (outcome_id, key, rule, failed_at, signal)
select
  (held.signal ->> 'outcomeId')::uuid,
  held.key,
  held.rule,
  (held.signal ->> 'failedAt')::timestamptz,
  held.signal
from jsonb_to_recordset($1::jsonb) as held (
  key text,
  rule text,
  signal jsonb
)
order by (held.signal ->> 'outcomeId')::uuid
on conflict (outcome_id) do nothing`;

/** Keeps failures that are below their threshold. One that is kept already is left as it is. */
export const holdFailures = async (tx: Queryable, held: readonly HeldFailure[]): Promise<void> => {
  for (const rows of chunks(byOutcome(held))) await tx.query(text, [toJsonb(rows)]);
};

// The order must hold over the statements of one call too.
const byOutcome = (held: readonly HeldFailure[]): readonly HeldFailure[] =>
  held.toSorted((a, b) => (a.signal.outcomeId < b.signal.outcomeId ? -1 : 1));
