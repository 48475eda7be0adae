import type { DeliveryId } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import type { Delivery } from '../store.ts';
import { deliveryColumns } from './delivery-columns.ts';

const text = `
select ${deliveryColumns}
from tocsin.deliveries
where id = $1::uuid`;

/** One delivery as it stands, without a lock; null when there is none with this id. */
export const loadDelivery = async (tx: Queryable, id: DeliveryId): Promise<Delivery | null> =>
  (await tx.query<Delivery>(text, [id])).rows[0] ?? null;
