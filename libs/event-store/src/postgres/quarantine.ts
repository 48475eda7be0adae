import type { Queryable } from '@tocsin/runtime';
import { chunks } from '../chunks.ts';
import { toJsonb } from '../jsonb.ts';

/** Something from a queue that could not be read or applied. */
export interface QuarantineEntry {
  readonly id: string;
  readonly queue: string;
  readonly payload: unknown;
  readonly reason: string;
}

// A payload of JSON null arrives as SQL null in a record, and must still be kept.
const text = `
insert into tocsin.quarantine (id, queue, payload, reason)
select entry.id, entry.queue, coalesce(entry.payload, 'null'::jsonb), entry.reason
from jsonb_to_recordset($1::jsonb) as entry (
  id uuid,
  queue text,
  payload jsonb,
  reason text
)
order by entry.id
on conflict (id) do nothing`;

/** Keeps what could not be read or applied. One whose id is there already is left as it is. */
export const quarantine = async (tx: Queryable, entries: readonly QuarantineEntry[]): Promise<void> => {
  for (const rows of chunks(entries)) await tx.query(text, [toJsonb(rows)]);
};
