import type { OutcomeId } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { instantText } from '../instant.ts';
import type { SettledRepair } from '../store.ts';

// Index repairs_by_outcome.
export const settledRepairsText = `
select
  id,
  outcome_id as "outcomeId",
  job_table as "table",
  job_id as "jobId",
  action,
  restart,
  state as result,
  reason,
  ${instantText('settled_at')} as "settledAt",
  alert_id as "alertId"
from tocsin.repairs
where outcome_id = any($1::uuid[]) and state <> 'intended'
order by outcome_id`;

/** Repairs that were tried for these outcomes and have ended; at most one of each. */
export const settledRepairs = async (
  tx: Queryable,
  outcomeIds: readonly OutcomeId[],
): Promise<readonly SettledRepair[]> =>
  outcomeIds.length === 0 ? [] : (await tx.query<SettledRepair>(settledRepairsText, [outcomeIds])).rows;
