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
}

// Indexes alerts_resolved_by_key and alerts_by_key. Statement time, not clock_timestamp(), which no index can use.
const text = `
select
  wanted.key,
  newest.id as "alertId",
  ${instantText('newest.resolved_at')} as "resolvedAt",
  recent.count::integer as "recentCount"
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
  where alerts.key = wanted.key and opened_at > statement_timestamp() - interval '7 days'
) as recent
order by wanted.key`;

/** For each of the keys that has one, in key order: its newest resolved alert. */
export const loadPredecessors = async (tx: Queryable, keys: readonly string[]): Promise<readonly Predecessor[]> => {
  if (keys.length === 0) return [];
  return (await tx.query<Predecessor>(text, [keys.map(cleanText)])).rows;
};
