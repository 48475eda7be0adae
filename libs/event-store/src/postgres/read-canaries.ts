import type { Queryable } from '@tocsin/runtime';

/** One canary: when it was written, and whether its message has been accepted. */
export interface CanaryRecord {
  readonly id: string;
  /** Milliseconds since it was written, by the database's clock. */
  readonly ageMs: number;
  /** Milliseconds from the row to the acceptance; null while there is none. */
  readonly tookMs: number | null;
  /** Whether its row still says that it failed. */
  readonly open: boolean;
}

// Few canaries, each by the primary keys and indexes outcomes_by_job and deliveries_by_alert.
const text = `
select
  canary.id,
  greatest(0, extract(epoch from clock_timestamp() - canary.created_at) * 1000)::double precision as "ageMs",
  (extract(epoch from arrived.accepted_at - canary.created_at) * 1000)::double precision as "tookMs",
  canary.status = 'failed' as open
from (
  select id, created_at, status from tocsin.canary_jobs order by created_at desc limit $3
) as canary
left join lateral (
  select min(deliveries.accepted_at) as accepted_at
  from tocsin.outcomes
  join tocsin.deliveries on deliveries.alert_ids @> array[outcomes.alert_id]
  where outcomes.job_id = canary.id::text
    and outcomes.job_table = $1
    and outcomes.alert_id is not null
    and deliveries.channel = $2
    and deliveries.created_at >= canary.created_at
) as arrived on true
order by canary.created_at desc`;

/**
 * The newest canaries, newest first.
 *
 * @param table name of the watched table they are read as
 * @param channel where their messages go
 */
export const readCanaries = async (
  queryable: Queryable,
  { table, channel, limit }: { readonly table: string; readonly channel: string; readonly limit: number },
): Promise<readonly CanaryRecord[]> => (await queryable.query<CanaryRecord>(text, [table, channel, limit])).rows;
