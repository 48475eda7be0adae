import type { AlertId } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { attemptsOf } from '../postgres/attempts-of.ts';
import { deliveryColumns } from '../postgres/delivery-columns.ts';
import type { Delivery, DeliveryAttempt } from '../store.ts';

/** Most deliveries of one alert in an answer; the newest are kept. */
export const deliveriesPerLedgerMax = 500;

/** One delivery with everything that was tried. */
export interface LedgerEntry {
  readonly delivery: Delivery;
  readonly attempts: readonly DeliveryAttempt[];
}

// Index deliveries_by_alert.
export const ledgerOfAlertText = `
select ${deliveryColumns}
from tocsin.deliveries
where deliveries.alert_ids @> array[$1::uuid]
order by deliveries.created_at desc, deliveries.id
limit $2`;

/** The deliveries that are about an alert, oldest first, with their attempts. */
export const ledgerOfAlert = async (queryable: Queryable, alertId: AlertId): Promise<readonly LedgerEntry[]> => {
  const { rows } = await queryable.query<Delivery>(ledgerOfAlertText, [alertId, deliveriesPerLedgerMax]);
  const attempts = Map.groupBy(
    await attemptsOf(
      queryable,
      rows.map((row) => row.id),
    ),
    (attempt) => attempt.deliveryId,
  );
  return rows.toReversed().map((delivery) => ({ delivery, attempts: attempts.get(delivery.id) ?? [] }));
};
