import type { Instant } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { cleanText } from '../jsonb.ts';

const text = `
insert into tocsin.table_activity as activity (job_table, hour, changes)
values ($1, $2::timestamptz, $3)
on conflict (job_table, hour) do update set changes = activity.changes + excluded.changes`;

/** Adds to the changes counted in an hour, given by its beginning. */
export const addActivity = async (tx: Queryable, table: string, hour: Instant, changes: number): Promise<void> => {
  await tx.query(text, [cleanText(table), hour, changes]);
};
