import type { Queryable } from '@tocsin/runtime';
import { cleanText } from '../jsonb.ts';
import type { IntendedRepair } from '../store.ts';

// repairs_by_outcome, which is unique: whatever happens, one outcome is acted upon once.
const text = `
insert into tocsin.repairs (
  id,
  outcome_id,
  job_table,
  job_id,
  action,
  restart,
  state
)
values ($1, $2, $3, $4, $5, $6, 'intended')
on conflict do nothing`;

/** Records a repair that is about to be tried; false when one was recorded for the same outcome before. */
export const intendRepair = async (tx: Queryable, repair: IntendedRepair): Promise<boolean> => {
  const { id, outcomeId, table, jobId, action, restart } = repair;
  const values = [id, outcomeId, cleanText(table), cleanText(jobId), action, restart];
  return (await tx.query(text, values)).rowCount === 1;
};
