import type { AlertId, AlertState } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { alertStates } from './fold.ts';
import type { Model, ModelRow } from './fold.ts';

// The primary key.
const text = `
select alerts.id, alerts.model_version, alerts.data
from unnest($1::uuid[]) with ordinality as wanted (id, ordinal)
join tocsin.alerts on alerts.id = wanted.id
order by wanted.ordinal`;

/** The alerts with these ids, in the order asked for; unknown ids are left out. */
export const loadAlerts = async (
  tx: Queryable,
  model: Model,
  ids: readonly AlertId[],
): Promise<readonly AlertState[]> => {
  if (ids.length === 0) return [];
  const { rows } = await tx.query<ModelRow<AlertId, AlertState>>(text, [[...new Set(ids)]]);
  return alertStates(tx, model, rows);
};
