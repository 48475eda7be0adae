import type { Instant } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { instantText } from '../instant.ts';

/** The last sign of life of one instance. */
export interface Heartbeat {
  readonly component: string;
  readonly instance: string;
  readonly startedAt: Instant;
  readonly beatAt: Instant;
  /** Milliseconds since, by the database's clock. */
  readonly ageMs: number;
  readonly data: Readonly<Record<string, unknown>>;
}

const text = `
select
  component,
  instance,
  ${instantText('heartbeats.started_at')} as "startedAt",
  ${instantText('heartbeats.beat_at')} as "beatAt",
  greatest(0, extract(epoch from clock_timestamp() - heartbeats.beat_at) * 1000)::double precision as "ageMs",
  data
from tocsin.heartbeats
order by component, heartbeats.beat_at desc, instance`;

/** Every instance that ever gave a sign of life, by component, the latest first. */
export const heartbeats = async (queryable: Queryable): Promise<readonly Heartbeat[]> =>
  (await queryable.query<Heartbeat>(text)).rows;
