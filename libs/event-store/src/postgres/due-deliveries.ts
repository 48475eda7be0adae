import type { DeliveryId } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';

// Index deliveries_waiting: settled deliveries, of which there are ever more, are not in it. Statement time, because no
// index can be used with clock_timestamp(), and now() stands still in a long transaction.
export const dueDeliveriesText = `
select id
from tocsin.deliveries
where next_attempt_at <= statement_timestamp()
order by next_attempt_at, id
limit $1`;

/** Deliveries to attempt now, and those whose attempt is overdue, oldest first. Looks only: claim each before acting. */
export const dueDeliveries = async (tx: Queryable, limit: number): Promise<readonly DeliveryId[]> =>
  (await tx.query<{ readonly id: DeliveryId }>(dueDeliveriesText, [limit])).rows.map((row) => row.id);
