import type { DigestState } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { chunks } from '../chunks.ts';
import { toJsonb } from '../jsonb.ts';

const text = `
insert into tocsin.digests as digests (
  id,
  route,
  purpose,
  state,
  opened_at,
  due_at,
  sealed_at,
  settled_at,
  version,
  model_version,
  data
)
select
  saved.id,
  saved.route,
  saved.purpose,
  saved.state,
  saved."openedAt",
  saved."dueAt",
  saved."sealedAt",
  saved."settledAt",
  saved.version,
  $2::integer,
  element.data
from jsonb_array_elements($1::jsonb) as element (data)
cross join lateral jsonb_to_record(element.data) as saved (
  id uuid,
  route text,
  purpose text,
  state text,
  "openedAt" timestamptz,
  "dueAt" timestamptz,
  "sealedAt" timestamptz,
  "settledAt" timestamptz,
  version integer
)
on conflict (id) do update set
  route = excluded.route,
  purpose = excluded.purpose,
  state = excluded.state,
  opened_at = excluded.opened_at,
  due_at = excluded.due_at,
  sealed_at = excluded.sealed_at,
  settled_at = excluded.settled_at,
  version = excluded.version,
  model_version = excluded.model_version,
  data = excluded.data`;

/** Inserts or replaces the read models of digests; of two states of one digest the later in the list counts. */
export const saveDigests = async (
  tx: Queryable,
  modelVersion: number,
  states: readonly DigestState[],
): Promise<void> => {
  const latest = [...new Map(states.map((state) => [state.id, state])).values()];
  for (const rows of chunks(latest)) await tx.query(text, [toJsonb(rows), modelVersion]);
};
