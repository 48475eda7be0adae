import type { Queryable } from '@tocsin/runtime';

// Tables of our own with a handful of rows. What is older than the newest has had its time: it is fine again, so that its
// alert ends, and after a while it goes. The detector is woken when the transaction commits.
const text = `
with young as (
  select 1 from tocsin.canary_jobs
  where created_at > clock_timestamp() - $1 * interval '1 millisecond'
),
fine as (
  update tocsin.canary_jobs
  set status = 'succeeded', finished_at = clock_timestamp(), updated_at = clock_timestamp()
  where status = 'failed' and not exists (select from young)
),
sent as (
  insert into tocsin.canary_jobs (error)
  select 'A canary: Tocsin made this failure itself, to see that failures arrive.'
  where not exists (select from young)
  returning 1
)
select tocsin.hint() from sent`;

/**
 * Puts a failed job into the table of canaries, unless somebody has done so lately. Answers whether it did.
 *
 * @param notWithinMs how long ago the last one must be at least, in milliseconds
 */
export const sendCanary = async (tx: Queryable, notWithinMs: number): Promise<boolean> => {
  const { rowCount } = await tx.query(text, [notWithinMs]);
  return (rowCount ?? 0) > 0;
};
