import type { Instant } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { instantText } from '../instant.ts';

/** Something that could not be read or applied, as it was kept. */
export interface QuarantineRecord {
  readonly id: string;
  readonly queue: string;
  readonly payload: unknown;
  readonly reason: string;
  readonly recordedAt: Instant;
}

const text = `
select
  id,
  queue,
  payload,
  reason,
  ${instantText('quarantine.recorded_at')} as "recordedAt"
from tocsin.quarantine
order by quarantine.recorded_at desc, id
limit $1`;

/** What is in quarantine, newest first. */
export const quarantined = async (queryable: Queryable, limit: number): Promise<readonly QuarantineRecord[]> =>
  (await queryable.query<QuarantineRecord>(text, [limit])).rows;
