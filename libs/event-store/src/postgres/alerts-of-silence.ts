import type { AlertId, AlertState } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { alertStates } from './fold.ts';
import type { Model, ModelRow } from './fold.ts';
import { beforeAllIds } from './open-alerts.ts';

// Index alerts_open_by_id, in the order of its ids. Written so that alerts_by_silence cannot be used, which would bring and
// sort all alerts of the silence for every page of them.
export const alertsOfSilenceText = `
select id, model_version, data
from tocsin.alerts
where silenced and state <> 'resolved' and (data -> 'silences' -> $1) is not null and id > $2::uuid
order by id
limit $3`;

/** Open alerts that a silence mutes, in id order, those after the given one; null begins at the first. */
export const alertsOfSilence = async (
  tx: Queryable,
  model: Model,
  silenceId: string,
  after: AlertId | null,
  limit: number,
): Promise<readonly AlertState[]> => {
  const values = [silenceId, after ?? beforeAllIds, limit];
  const { rows } = await tx.query<ModelRow<AlertId, AlertState>>(alertsOfSilenceText, values);
  return alertStates(tx, model, rows);
};
