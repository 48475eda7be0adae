import type { Instant } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';

// Index alerts_by_opening, which holds the source too; never more of it than the limit.
export const keysOpenedSinceText = `
select source, count(*)::integer as count
from (
  select source
  from tocsin.alerts
  where opened_at >= $1::timestamptz
  order by opened_at desc
  limit $2
) as opened
group by source`;

/** How many alerts each source opened at or after that time; the newest `limit` of all are counted. */
export const keysOpenedSince = async (
  tx: Queryable,
  since: Instant,
  limit: number,
): Promise<ReadonlyMap<string, number>> => {
  const { rows } = await tx.query<{ readonly source: string; readonly count: number }>(keysOpenedSinceText, [
    since,
    limit,
  ]);
  return new Map(rows.map(({ source, count }) => [source, count]));
};
