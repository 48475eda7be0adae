import type { DigestId } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import type { Delivery } from '../store.ts';
import { deliveryColumns } from './delivery-columns.ts';

// Index deliveries_by_digest.
const text = `
select ${deliveryColumns}
from tocsin.deliveries
where digest_id = $1::uuid
order by deliveries.created_at, deliveries.id`;

/** The deliveries of a digest, those that took over from others included, oldest first. */
export const deliveriesOfDigest = async (tx: Queryable, id: DigestId): Promise<readonly Delivery[]> =>
  (await tx.query<Delivery>(text, [id])).rows;
