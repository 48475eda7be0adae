import type { DeliveryId } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { cleanText } from '../jsonb.ts';

// Index deliveries_by_replaced. What came back after it had been accepted is told to its alerts anew, from the first on; one
// that was given up has told them, or is still doing so.
const text = `
with heirs as (
  select exists (select from tocsin.deliveries where fallback_of = $1::uuid) as any
)
update tocsin.deliveries
set
  state = case when heirs.any then 'replaced' else 'rejected' end,
  last_reason = $2,
  settled_count = case when state = 'accepted' then 0 else settled_count end,
  settled_at = case when state = 'accepted' then null else settled_at end
from heirs
where id = $1::uuid and (state = 'accepted' or (state = 'rejected' and heirs.any))`;

/**
 * Takes a final result back: of a delivery that was accepted and came back, or that was given up and is tried again by
 * another one. It becomes `replaced` when a delivery took over (insert that one before), else `rejected`. One that came back
 * keeps its `acceptedAt` and is unsettled again. False for deliveries in other states.
 */
export const replaceDelivery = async (tx: Queryable, id: DeliveryId, reason: string): Promise<boolean> =>
  (await tx.query(text, [id, cleanText(reason)])).rowCount === 1;
