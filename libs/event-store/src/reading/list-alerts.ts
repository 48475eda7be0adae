import type { AlertId, Instant, LifecycleState } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { alertRecordColumns } from './alert-record.ts';
import type { AlertRecord } from './alert-record.ts';

/** Most alerts in one answer. */
export const alertsPerListMax = 1_000;

export interface ListAlertsOptions {
  /** Absent: all states. */
  readonly states?: readonly LifecycleState[];
  readonly source?: string;
  readonly key?: string;
  /** Leaves out the failures that Tocsin makes itself, to see whether failures arrive. Default: they are listed. */
  readonly withoutCanaries?: boolean;
  /** At most this many; more than {@link alertsPerListMax} counts as that. */
  readonly limit: number;
  /** The last alert of the page before. */
  readonly before?: { readonly lastFailedAt: Instant; readonly id: AlertId };
}

// Index alerts_by_state when states are named. Without states the whole history is read: a question that a person asks
// now and then, and no index is paid for at every save to answer it faster. That canaries do not arrive is an alert of its
// own, which is not left out.
const text = `
select ${alertRecordColumns}
from tocsin.alerts
where ($1::text[] is null or alerts.state = any($1))
  and ($2::text is null or alerts.source = $2)
  and ($3::text is null or alerts.key = $3)
  and ($4::timestamptz is null or (alerts.last_failed_at, alerts.id) < ($4, $5::uuid))
  and not ($7 and alerts.source = 'tocsin' and alerts.job_type = 'canary' and alerts.key <> 'job/tocsin/canary/late')
order by alerts.last_failed_at desc, alerts.id desc
limit $6`;

/** Alerts, the latest failure first. */
export const listAlerts = async (queryable: Queryable, options: ListAlertsOptions): Promise<readonly AlertRecord[]> => {
  const { states = null, source = null, key = null, before, withoutCanaries = false } = options;
  const limit = Math.min(options.limit, alertsPerListMax);
  const values = [states, source, key, before?.lastFailedAt ?? null, before?.id ?? null, limit, withoutCanaries];
  return (await queryable.query<AlertRecord>(text, values)).rows;
};
