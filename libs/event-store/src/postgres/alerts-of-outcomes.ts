import type { AlertId, OutcomeId } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';

// The primary key.
export const alertsOfOutcomesText = `
select id, alert_id as "alertId"
from tocsin.outcomes
where id = any($1::uuid[]) and alert_id is not null`;

/** The alert each of these outcomes is an occurrence of; without those that are none. */
export const alertsOfOutcomes = async (
  tx: Queryable,
  ids: readonly OutcomeId[],
): Promise<ReadonlyMap<OutcomeId, AlertId>> => {
  if (ids.length === 0) return new Map();
  const { rows } = await tx.query<{ readonly id: OutcomeId; readonly alertId: AlertId }>(alertsOfOutcomesText, [ids]);
  return new Map(rows.map(({ id, alertId }) => [id, alertId]));
};
