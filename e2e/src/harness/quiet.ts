import type { Queryable } from '@tocsin/runtime';

/** What is still to be done, by what it is. */
export interface Unfinished {
  readonly jobs: number;
  readonly openDigests: number;
  readonly deliveries: number;
  readonly unsettled: number;
}

const text = `
select
  (
    select count(*)::integer
    from pgboss.job
    where name = any(array['signals', 'timers', 'deliveries'])
      and (state = 'active' or (state < 'active' and (name = 'signals' or start_after <= now())))
  ) as jobs,
  (select count(*)::integer from tocsin.digests where state = 'open') as "openDigests",
  (select count(*)::integer from tocsin.deliveries where next_attempt_at is not null) as deliveries,
  (select count(*)::integer from tocsin.deliveries where next_attempt_at is null and settled_at is null) as unsettled`;

/** Counts what the notifier has still to do. Of the timers only those that are due count; the rest is in the other numbers. */
export const unfinished = async (queryable: Queryable): Promise<Unfinished> => {
  const { rows } = await queryable.query<Unfinished>(text);
  const [row] = rows;
  if (row === undefined) throw new Error('The count of what is to be done has no row.');
  return row;
};

/** Whether nothing is left to do. */
export const isFinished = (left: Unfinished): boolean => Object.values(left).every((count: number) => count === 0);
