import type { Queryable } from '@tocsin/runtime';

// Index alerts_open_key holds exactly these rows.
const text = `
select count(*)::integer as count
from tocsin.alerts
where state <> 'resolved' and key <> 'job/tocsin/canary'`;

/** How many alerts are open that anybody is told of: canaries are Tocsin's own. */
export const countOpenAlerts = async (tx: Queryable): Promise<number> =>
  (await tx.query<{ readonly count: number }>(text)).rows[0]?.count ?? 0;
