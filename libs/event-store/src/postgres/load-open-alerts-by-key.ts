import type { AlertId, AlertState } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { cleanText } from '../jsonb.ts';
import { alertStates } from './fold.ts';
import type { Model, ModelRow } from './fold.ts';

// Index alerts_open_key, hence the condition on the state in its own words.
const text = `
select id, model_version, data
from tocsin.alerts
where key = any($1::text[]) and state <> 'resolved'
order by key`;

/** The open alerts with these keys, at most one a key, in key order. */
export const loadOpenAlertsByKey = async (
  tx: Queryable,
  model: Model,
  keys: readonly string[],
): Promise<readonly AlertState[]> => {
  if (keys.length === 0) return [];
  const { rows } = await tx.query<ModelRow<AlertId, AlertState>>(text, [keys.map(cleanText)]);
  return alertStates(tx, model, rows);
};
