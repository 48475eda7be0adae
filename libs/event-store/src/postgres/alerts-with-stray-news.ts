import type { AlertId } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';

// Index alerts_with_stray_news, hence the conditions in its own words.
export const alertsWithStrayNewsText = `
select id
from tocsin.alerts
where (data -> 'pending') <> '{}'::jsonb and state <> 'acknowledged'
order by id
limit $1`;

/** Alerts, not acknowledged, whose news sits in no digest, in id order. */
export const alertsWithStrayNews = async (tx: Queryable, limit: number): Promise<readonly AlertId[]> =>
  (await tx.query<{ readonly id: AlertId }>(alertsWithStrayNewsText, [limit])).rows.map((row) => row.id);
