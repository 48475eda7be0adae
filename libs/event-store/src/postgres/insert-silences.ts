import type { Queryable } from '@tocsin/runtime';
import { chunks } from '../chunks.ts';
import { toJsonb } from '../jsonb.ts';
import type { Silence } from '../store.ts';

/** A silence as it is made. */
export type NewSilence = Omit<Silence, 'createdAt' | 'appliedAt' | 'endedAt' | 'endedBy' | 'endCause'>;

// In the order of ids: every notifier inserts those of the configuration when it starts.
const text = `
insert into tocsin.silences (
  id,
  name,
  match,
  made_by,
  reason,
  starts_at,
  ends_at,
  alert_ids
)
select
  silence.id,
  silence.name,
  silence.match,
  silence."by",
  silence.reason,
  silence."startsAt",
  (silence."end" ->> 'at')::timestamptz,
  silence."alertIds"
from jsonb_to_recordset($1::jsonb) as silence (
  id uuid,
  name text,
  match jsonb,
  "by" text,
  reason text,
  "startsAt" timestamptz,
  "end" jsonb,
  "alertIds" uuid[]
)
order by silence.id
on conflict (id) do nothing`;

/** Adds silences. One whose id is there, ended or not, is left as it is. */
export const insertSilences = async (tx: Queryable, silences: readonly NewSilence[]): Promise<void> => {
  const inOrder = silences.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  for (const rows of chunks(inOrder)) await tx.query(text, [toJsonb(rows)]);
};
