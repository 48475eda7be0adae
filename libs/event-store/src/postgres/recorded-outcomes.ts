import type { OutcomeId } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';

// The primary key.
const text = `
select id
from tocsin.outcomes
where id = any($1::uuid[]) and disposition in ('recorded', 'ignored', 'held')`;

/**
 * Of these outcomes, those already recorded by an alert, ignored by rule or held below a threshold. A quarantined outcome
 * is not among them: its signal may be sent again once it can be read.
 */
export const recordedOutcomes = async (tx: Queryable, ids: readonly OutcomeId[]): Promise<ReadonlySet<OutcomeId>> => {
  if (ids.length === 0) return new Set();
  const { rows } = await tx.query<{ readonly id: OutcomeId }>(text, [ids]);
  return new Set(rows.map((row) => row.id));
};
