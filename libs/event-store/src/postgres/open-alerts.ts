import type { AlertId, AlertState } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { alertStates } from './fold.ts';
import type { Model, ModelRow } from './fold.ts';

/** Less than any id that is given. */
export const beforeAllIds = '00000000-0000-0000-0000-000000000000';

// Index alerts_open_by_id.
export const openAlertsText = `
select id, model_version, data
from tocsin.alerts
where state <> 'resolved' and id > $1::uuid
order by id
limit $2`;

/** Open alerts in id order, those after the given one; null begins at the first. */
export const openAlerts = async (
  tx: Queryable,
  model: Model,
  after: AlertId | null,
  limit: number,
): Promise<readonly AlertState[]> => {
  const { rows } = await tx.query<ModelRow<AlertId, AlertState>>(openAlertsText, [after ?? beforeAllIds, limit]);
  return alertStates(tx, model, rows);
};
