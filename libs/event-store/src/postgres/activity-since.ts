import type { Instant } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { instantText } from '../instant.ts';
import { cleanText } from '../jsonb.ts';

/** Changes of a table in one hour. */
export interface HourOfActivity {
  readonly hour: Instant;
  readonly changes: number;
}

/** Most hours in an answer, the newest: more than are kept. */
export const activityHoursMax = 24 * 60;

// The primary key, read backwards. A count of changes below 2^53 is exact as a double, which arrives as a number.
export const activitySinceText = `
select ${instantText('newest.hour')} as hour, newest.changes::double precision as changes
from (
  select hour, changes
  from tocsin.table_activity
  where job_table = $1 and hour >= $2::timestamptz
  order by hour desc
  limit $3
) as newest
order by newest.hour`;

/** Changes of a table by hour since then, oldest hour first. Hours in which nobody looked are left out. */
export const activitySince = async (tx: Queryable, table: string, since: Instant): Promise<readonly HourOfActivity[]> =>
  (await tx.query<HourOfActivity>(activitySinceText, [cleanText(table), since, activityHoursMax])).rows;
