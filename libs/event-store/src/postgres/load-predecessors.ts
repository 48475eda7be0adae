import type { AlertId, Instant } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { instantText } from '../instant.ts';
import { cleanText } from '../jsonb.ts';

/** The newest resolved alert of a key, and how often the key has been in trouble lately. */
export interface Predecessor {
  readonly key: string;
  readonly alertId: AlertId;
  readonly resolvedAt: Instant;
  /** Alerts of the key, open or resolved, that opened in the last seven days. */
  readonly recentCount: number;
  /** Alerts of the key that were resolved within the time asked about; 0 when none was asked about. */
  readonly flapCount: number;
}

// Index alerts_resolved_by_key and, for the one that may be open, alerts_open_key: together they hold every alert of a
// key, so a third index, paid for at every save, is not needed. Statement time, which stands still within the statement.
export const loadPredecessorsText = `
select
  wanted.key,
  newest.id as "alertId",
  ${instantText('newest.resolved_at')} as "resolvedAt",
  (resolved.count + open.count)::integer as "recentCount",
  flapped.count::integer as "flapCount"
from (select distinct unnest($1::text[]) as key) as wanted
cross join lateral (
  select id, resolved_at
  from tocsin.alerts
  where alerts.key = wanted.key and state = 'resolved'
  order by resolved_at desc, id desc
  limit 1
) as newest
cross join lateral (
  select count(*) as count
  from tocsin.alerts
  where alerts.key = wanted.key and state = 'resolved' and opened_at > statement_timestamp() - interval '7 days'
) as resolved
cross join lateral (
  select count(*) as count
  from tocsin.alerts
  where alerts.key = wanted.key and state <> 'resolved' and opened_at > statement_timestamp() - interval '7 days'
) as open
cross join lateral (
  select count(*) as count
  from tocsin.alerts
  where alerts.key = wanted.key and state = 'resolved'
    and resolved_at > statement_timestamp() - $2::double precision * interval '1 millisecond'
) as flapped
order by wanted.key`;

/** For each of the keys that has one, in key order: its newest resolved alert. `flapWithinMs` 0: `flapCount` is 0. */
export const loadPredecessors = async (
  tx: Queryable,
  keys: readonly string[],
  flapWithinMs = 0,
): Promise<readonly Predecessor[]> => {
  if (keys.length === 0) return [];
  // Nothing is compared with null, so nothing is counted.
  const values = [keys.map(cleanText), flapWithinMs > 0 ? flapWithinMs : null];
  return (await tx.query<Predecessor>(loadPredecessorsText, values)).rows;
};
