import type { Queryable } from '@tocsin/runtime';

/** The newest sign of life of a component, whichever instance gave it. */
export interface NewestBeat {
  readonly instance: string;
  /** Milliseconds since, by the database's clock. */
  readonly ageMs: number;
  readonly data: Readonly<Record<string, unknown>>;
}

// One row for each instance that ever ran: few, and an index on the time would be paid for at every beat.
const text = `
select distinct on (component)
  component,
  instance,
  greatest(0, extract(epoch from clock_timestamp() - beat_at) * 1000)::double precision as "ageMs",
  data
from tocsin.heartbeats
order by component, beat_at desc, instance`;

/** The newest sign of life of each component, by its name. */
export const newestBeats = async (tx: Queryable): Promise<ReadonlyMap<string, NewestBeat>> => {
  const { rows } = await tx.query<NewestBeat & { readonly component: string }>(text);
  return new Map(rows.map(({ component, instance, ageMs, data }) => [component, { instance, ageMs, data }]));
};
