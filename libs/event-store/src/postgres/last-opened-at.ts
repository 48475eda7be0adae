import type { Instant } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { instantText } from '../instant.ts';

// Index alerts_by_opening, its first entry.
export const lastOpenedAtText = `
select ${instantText('opened_at')} as "openedAt"
from tocsin.alerts
order by alerts.opened_at desc
limit 1`;

/** When the newest alert was opened; null when there has never been one. */
export const lastOpenedAt = async (tx: Queryable): Promise<Instant | null> =>
  (await tx.query<{ readonly openedAt: Instant }>(lastOpenedAtText)).rows[0]?.openedAt ?? null;
