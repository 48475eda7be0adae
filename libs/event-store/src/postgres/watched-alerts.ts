import type { AlertId, AlertState } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import type { WatchedAlert } from '../store.ts';
import { alertStates } from './fold.ts';
import type { Model, ModelRow } from './fold.ts';

// Index alerts_open_by_id: resolved alerts, of which there are ever more, cost nothing.
export const watchedAlertsText = `
select id, model_version, data
from tocsin.alerts
where state <> 'resolved' and id > $1::uuid
order by id
limit $2`;

const beforeAllIds = '00000000-0000-0000-0000-000000000000';

/** Open alerts in id order, those after the given one; null begins at the first. */
export const watchedAlerts = async (
  tx: Queryable,
  model: Model,
  after: AlertId | null,
  limit: number,
): Promise<readonly WatchedAlert[]> => {
  const { rows } = await tx.query<ModelRow<AlertId, AlertState>>(watchedAlertsText, [after ?? beforeAllIds, limit]);
  const states = await alertStates(tx, model, rows);
  return states.map(({ id, source, chain, owed, successes, firstFailedAt }) => ({
    id,
    source,
    chain,
    owed,
    successes,
    firstFailedAt,
  }));
};
