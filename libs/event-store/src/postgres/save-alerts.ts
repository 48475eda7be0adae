import type { AlertState } from '@tocsin/alert-model';
import { isUniqueViolation } from '@tocsin/runtime';
import type { Queryable } from '@tocsin/runtime';
import { chunks } from '../chunks.ts';
import { toJsonb } from '../jsonb.ts';
import { OpenKeyConflict } from '../store.ts';

// Every column is a copy of a field of `data`, taken by the server, so that the two cannot differ. Rejected on 2026-11-23,
// by the time to send and take apart 20,000 states of 1.3 kB, best of six (this way: 780 ms, most of it the parsing of
// jsonb): one array per column through unnest 1,380 ms, since the client has to quote JSON inside an array literal;
// an array of jsonb 830 ms; json_array_elements 825 ms.
const text = `
insert into tocsin.alerts as alerts (
  id,
  key,
  state,
  severity,
  source,
  job_type,
  target_id,
  chain,
  title,
  occurrences,
  escalation_level,
  predecessor_id,
  opened_at,
  first_failed_at,
  last_failed_at,
  notified_at,
  acknowledged_at,
  acknowledged_by,
  resolved_at,
  resolution,
  next_action,
  next_action_at,
  silenced,
  version,
  model_version,
  data
)
select
  saved.id,
  saved.key,
  saved.state,
  saved.severity,
  saved.source,
  saved."jobType",
  saved."targetId",
  saved.chain ->> 'name',
  saved.title,
  saved.occurrences,
  saved."escalationLevel",
  (saved.predecessor ->> 'alertId')::uuid,
  saved."openedAt",
  saved."firstFailedAt",
  saved."lastFailedAt",
  saved."notifiedAt",
  (saved.acknowledgement ->> 'at')::timestamptz,
  saved.acknowledgement ->> 'by',
  (saved.resolution ->> 'resolvedAt')::timestamptz,
  saved.resolution ->> 'reason',
  saved.next ->> 'action',
  (saved.next ->> 'at')::timestamptz,
  coalesce(saved.silences, '{}') <> '{}'::jsonb,
  saved.version,
  $2::integer,
  element.data
from jsonb_array_elements($1::jsonb) as element (data)
cross join lateral jsonb_to_record(element.data) as saved (
  id uuid,
  key text,
  state text,
  severity text,
  source text,
  "jobType" text,
  "targetId" text,
  chain jsonb,
  title text,
  occurrences integer,
  "escalationLevel" integer,
  predecessor jsonb,
  "openedAt" timestamptz,
  "firstFailedAt" timestamptz,
  "lastFailedAt" timestamptz,
  "notifiedAt" timestamptz,
  acknowledgement jsonb,
  resolution jsonb,
  next jsonb,
  silences jsonb,
  version integer
)
on conflict (id) do update set
  key = excluded.key,
  state = excluded.state,
  severity = excluded.severity,
  source = excluded.source,
  job_type = excluded.job_type,
  target_id = excluded.target_id,
  chain = excluded.chain,
  title = excluded.title,
  occurrences = excluded.occurrences,
  escalation_level = excluded.escalation_level,
  predecessor_id = excluded.predecessor_id,
  opened_at = excluded.opened_at,
  first_failed_at = excluded.first_failed_at,
  last_failed_at = excluded.last_failed_at,
  notified_at = excluded.notified_at,
  acknowledged_at = excluded.acknowledged_at,
  acknowledged_by = excluded.acknowledged_by,
  resolved_at = excluded.resolved_at,
  resolution = excluded.resolution,
  next_action = excluded.next_action,
  next_action_at = excluded.next_action_at,
  silenced = excluded.silenced,
  version = excluded.version,
  model_version = excluded.model_version,
  data = excluded.data`;

/**
 * Inserts or replaces the read models of alerts; of two states of one alert the later in the list counts.
 *
 * @throws OpenKeyConflict when another open alert has the key of one of them.
 */
export const saveAlerts = async (tx: Queryable, modelVersion: number, states: readonly AlertState[]): Promise<void> => {
  const latest = [...new Map(states.map((state) => [state.id, state])).values()];
  // Resolved ones first, in statements of their own: an alert and its successor of the same key may be saved together,
  // and the index of open keys is checked row by row.
  const resolved = latest.filter(({ state }) => state === 'resolved');
  const open = latest.filter(({ state }) => state !== 'resolved');
  for (const rows of [...chunks(resolved), ...chunks(open)]) {
    await tx.query(text, [toJsonb(rows), modelVersion]).catch((error: unknown) => {
      if (!isUniqueViolation(error, 'alerts_open_key')) throw error;
      throw new OpenKeyConflict(
        'Another open alert has the key of an alert to be saved. Load again and decide again.',
        { cause: error },
      );
    });
  }
};
