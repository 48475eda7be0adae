import type { AlertId } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';

// Index alerts_open_by_id. Asked when a process starts, and after an upgrade until there are none: it may read all open
// alerts, and no index is paid for at every save to spare that.
export const alertsOfOlderModelText = `
select id
from tocsin.alerts
where state <> 'resolved' and model_version < $1
order by id
limit $2`;

/** Open alerts whose read model is of an older version of the fold, in id order. */
export const alertsOfOlderModel = async (
  tx: Queryable,
  modelVersion: number,
  limit: number,
): Promise<readonly AlertId[]> =>
  (await tx.query<{ readonly id: AlertId }>(alertsOfOlderModelText, [modelVersion, limit])).rows.map(({ id }) => id);
