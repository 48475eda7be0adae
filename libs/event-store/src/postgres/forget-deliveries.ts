import type { Queryable } from '@tocsin/runtime';

// Index deliveries_by_settling. A replacement refers to what it replaced, so a delivery goes only after its replacement.
const text = `
with old as (
  select id
  from tocsin.deliveries as delivery
  where
    settled_at < statement_timestamp() - $1 * interval '1 millisecond'
    and not exists (select from tocsin.deliveries as replacement where replacement.fallback_of = delivery.id)
  order by settled_at
  limit $2
  for update skip locked
), attempts as (
  delete from tocsin.delivery_attempts using old where delivery_id = old.id
)
select id from old`;

const deleteText = 'delete from tocsin.deliveries where id = any($1::uuid[])';

/** Deletes settled deliveries and their attempts, oldest first, at most `limit`; answers how many. In one transaction. */
export const forgetDeliveries = async (tx: Queryable, olderThanMs: number, limit: number): Promise<number> => {
  const { rows } = await tx.query<{ id: string }>(text, [olderThanMs, limit]);
  // A statement of its own: within one statement the foreign key would not see the attempts gone.
  return rows.length === 0 ? 0 : (await tx.query(deleteText, [rows.map(({ id }) => id)])).rowCount;
};
