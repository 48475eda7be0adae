import type { Queryable } from '@tocsin/runtime';
import { toJsonb } from '../jsonb.ts';

const text = `
insert into tocsin.heartbeats as heartbeats (component, instance, data)
values ($1, $2, $3::jsonb)
on conflict (component, instance) do update set
  beat_at = clock_timestamp(),
  data = excluded.data`;

/** Says that this instance of a component is alive, and what it is doing. */
export const beat = async (
  tx: Queryable,
  component: string,
  instance: string,
  data: Readonly<Record<string, unknown>>,
): Promise<void> => {
  await tx.query(text, [component, instance, toJsonb(data)]);
};
