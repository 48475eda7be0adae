import type { Instant } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { toJsonb } from '../jsonb.ts';

const text = `
insert into tocsin.cursors as cursors (name, changed_at, data)
values ($1, $2::timestamptz, $3::jsonb)
on conflict (name) do update set
  changed_at = excluded.changed_at,
  data = excluded.data,
  updated_at = clock_timestamp()
where cursors.changed_at <= excluded.changed_at`;

/** Moves a cursor. An earlier instant than the one saved changes nothing, not even the data; an equal one replaces the data. */
export const saveCursor = async (
  tx: Queryable,
  name: string,
  changedAt: Instant,
  data: Readonly<Record<string, unknown>>,
): Promise<void> => {
  await tx.query(text, [name, changedAt, toJsonb(data)]);
};
