import type { Queryable } from '@tocsin/runtime';

/** Messages that nobody has accepted yet, and digests that went wrong. */
export interface Undelivered {
  readonly waiting: number;
  readonly retrying: number;
  readonly unknown: number;
  /** Milliseconds since the oldest of them was made; null when there is none. */
  readonly oldestMs: number | null;
  /** Whose time came more than a minute ago. */
  readonly overdue: number;
  readonly lastReason: string | null;
  /** Digests open for more than a minute after their time. */
  readonly overdueDigests: number;
  /** Digests of the last seven days that no channel took. */
  readonly failedDigests: number;
  /** Messages of the last seven days that were given up and that no other channel took over. */
  readonly dead: number;
}

// Indexes deliveries_waiting, digests_open_due, deliveries_given_up and deliveries_by_replaced; failed digests are counted by reading the table, now and then.
const text = `
select
  count(*)::integer as waiting,
  (count(*) filter (where state = 'retrying'))::integer as retrying,
  (count(*) filter (where state = 'unknown'))::integer as unknown,
  (extract(epoch from clock_timestamp() - min(created_at)) * 1000)::double precision as "oldestMs",
  (count(*) filter (where next_attempt_at < clock_timestamp() - interval '1 minute'))::integer as overdue,
  (array_agg(last_reason order by created_at desc) filter (where last_reason is not null))[1] as "lastReason",
  (
    select count(*)::integer
    from tocsin.digests
    where state = 'open' and due_at < clock_timestamp() - interval '1 minute'
  ) as "overdueDigests",
  (
    select count(*)::integer
    from tocsin.digests
    where state = 'failed' and settled_at > clock_timestamp() - interval '7 days'
  ) as "failedDigests",
  (
    select count(*)::integer
    from tocsin.deliveries as dead
    where dead.state = 'rejected'
      and dead.created_at > clock_timestamp() - interval '7 days'
      and not exists (select from tocsin.deliveries as heir where heir.fallback_of = dead.id)
  ) as dead
from tocsin.deliveries
where next_attempt_at is not null`;

export const countUndelivered = async (queryable: Queryable): Promise<Undelivered | undefined> =>
  (await queryable.query<Undelivered>(text)).rows[0];
