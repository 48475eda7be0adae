import type { AlertState, DigestState } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';

/** A read model as it is stored. */
export interface StoredRow {
  readonly id: string;
  readonly version: number;
  readonly modelVersion: number;
  readonly data: AlertState | DigestState;
  /** Columns that are not what `data` says. */
  readonly differing: readonly string[];
}

// `data` is taken apart once per row, as `saveAlerts` does, because it is kept compressed outside the row.
const alertsText = `
select
  alerts.id,
  alerts.version,
  alerts.model_version as "modelVersion",
  alerts.data,
  array_remove(array[
    case when alerts.id is distinct from saved.id then 'id' end,
    case when alerts.key is distinct from saved.key then 'key' end,
    case when alerts.state is distinct from saved.state then 'state' end,
    case when alerts.severity is distinct from saved.severity then 'severity' end,
    case when alerts.source is distinct from saved.source then 'source' end,
    case when alerts.job_type is distinct from saved."jobType" then 'job_type' end,
    case when alerts.target_id is distinct from saved."targetId" then 'target_id' end,
    case when alerts.chain is distinct from saved.chain ->> 'name' then 'chain' end,
    case when alerts.title is distinct from saved.title then 'title' end,
    case when alerts.occurrences is distinct from saved.occurrences then 'occurrences' end,
    case when alerts.escalation_level is distinct from saved."escalationLevel" then 'escalation_level' end,
    case when alerts.predecessor_id is distinct from (saved.predecessor ->> 'alertId')::uuid then 'predecessor_id' end,
    case when alerts.opened_at is distinct from saved."openedAt" then 'opened_at' end,
    case when alerts.first_failed_at is distinct from saved."firstFailedAt" then 'first_failed_at' end,
    case when alerts.last_failed_at is distinct from saved."lastFailedAt" then 'last_failed_at' end,
    case when alerts.notified_at is distinct from saved."notifiedAt" then 'notified_at' end,
    case when alerts.acknowledged_at is distinct from (saved.acknowledgement ->> 'at')::timestamptz then 'acknowledged_at' end,
    case when alerts.acknowledged_by is distinct from saved.acknowledgement ->> 'by' then 'acknowledged_by' end,
    case when alerts.resolved_at is distinct from (saved.resolution ->> 'resolvedAt')::timestamptz then 'resolved_at' end,
    case when alerts.resolution is distinct from saved.resolution ->> 'reason' then 'resolution' end,
    case when alerts.version is distinct from saved.version then 'version' end
  ], null) as differing
from tocsin.alerts
cross join lateral jsonb_to_record(alerts.data) as saved (
  id uuid, key text, state text, severity text, source text, "jobType" text, "targetId" text, chain jsonb, title text,
  occurrences integer, "escalationLevel" integer, predecessor jsonb, "openedAt" timestamptz, "firstFailedAt" timestamptz,
  "lastFailedAt" timestamptz, "notifiedAt" timestamptz, acknowledgement jsonb, resolution jsonb, version integer
)
where alerts.id = any($1::uuid[])`;

const digestsText = `
select
  digests.id,
  digests.version,
  digests.model_version as "modelVersion",
  digests.data,
  array_remove(array[
    case when digests.id is distinct from saved.id then 'id' end,
    case when digests.route is distinct from saved.route then 'route' end,
    case when digests.purpose is distinct from saved.purpose then 'purpose' end,
    case when digests.state is distinct from saved.state then 'state' end,
    case when digests.opened_at is distinct from saved."openedAt" then 'opened_at' end,
    case when digests.due_at is distinct from saved."dueAt" then 'due_at' end,
    case when digests.sealed_at is distinct from saved."sealedAt" then 'sealed_at' end,
    case when digests.settled_at is distinct from saved."settledAt" then 'settled_at' end,
    case when digests.version is distinct from saved.version then 'version' end
  ], null) as differing
from tocsin.digests
cross join lateral jsonb_to_record(digests.data) as saved (
  id uuid, route text, purpose text, state text, "openedAt" timestamptz, "dueAt" timestamptz, "sealedAt" timestamptz,
  "settledAt" timestamptz, version integer
)
where digests.id = any($1::uuid[])`;

const texts = { alert: alertsText, digest: digestsText } as const;

/** The read models with these ids, by id. */
export const readStoredModels = async (
  queryable: Queryable,
  kind: 'alert' | 'digest',
  ids: readonly string[],
): Promise<ReadonlyMap<string, StoredRow>> => {
  if (ids.length === 0) return new Map();
  const { rows } = await queryable.query<StoredRow>(texts[kind], [ids]);
  return new Map(rows.map((row) => [row.id, row]));
};
