import type { DeliveryId } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';

// Index deliveries_unsettled, hence the conditions in its own words.
export const unsettledDeliveriesText = `
select id
from tocsin.deliveries
where state in ('accepted', 'rejected', 'replaced') and settled_at is null
order by created_at, id
limit $1`;

/** Deliveries with a final result that not all of their alerts know yet, oldest first. */
export const unsettledDeliveries = async (tx: Queryable, limit: number): Promise<readonly DeliveryId[]> =>
  (await tx.query<{ readonly id: DeliveryId }>(unsettledDeliveriesText, [limit])).rows.map((row) => row.id);
