import type { AlertId, AlertState } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import type { WatchedAlert } from '../store.ts';
import { alertStates } from './fold.ts';
import type { Model, ModelRow } from './fold.ts';
import { beforeAllIds } from './open-alerts.ts';

// Index alerts_open_by_id: resolved alerts, of which there are ever more, cost nothing. Of the state, which is mostly
// about causes and deliveries, only what is asked for goes over the wire. jsonb_to_record unpacks it once. Rejected:
// `data -> 'owed'` and so on, which unpack it for each field and cost the server twice what the whole of it does.
export const watchedAlertsText = `
select page.id, page.model_version, to_jsonb(watched) as data
from (
  select id, model_version, data
  from tocsin.alerts
  where state <> 'resolved' and id > $1::uuid
  order by id
  limit $2
) as page
cross join lateral jsonb_to_record(page.data) as watched (
  id jsonb, source jsonb, chain jsonb, owed jsonb, successes jsonb, "firstFailedAt" jsonb
)
order by page.id`;

/** Open alerts in id order, those after the given one; null begins at the first. */
export const watchedAlerts = async (
  tx: Queryable,
  model: Model,
  after: AlertId | null,
  limit: number,
): Promise<readonly WatchedAlert[]> => {
  // `data` holds the fields named below and no others.
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
