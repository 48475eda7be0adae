import type { Pool } from 'pg';

/** What Tocsin made of some failed jobs. */
export interface RecordedFailure {
  readonly alertId: string;
  /** When the last of the failures was recorded. */
  readonly recordedAt: Date;
}

/** A message that a channel has accepted. */
export interface Told {
  readonly messageId: string;
}

/** The alert that holds the failures of all these jobs; undefined until every one of them is recorded. */
export async function findRecordedFailure(db: Pool, jobIds: readonly string[]): Promise<RecordedFailure | undefined> {
  const found = await db.query<RecordedFailure & { jobs: number }>(
    `select
       alert_id as "alertId",
       max(recorded_at) as "recordedAt",
       count(distinct job_id)::integer as jobs
     from tocsin.outcomes
     where job_id = any($1::text[]) and alert_id is not null
     group by alert_id
     order by max(recorded_at) desc
     limit 1`,
    [jobIds],
  );
  const row = found.rows[0];
  return row?.jobs === jobIds.length ? row : undefined;
}

/** The first accepted message about the alert that was written after `after`; undefined until there is one. */
export async function findTold(db: Pool, alertId: string, after: Date): Promise<Told | undefined> {
  const found = await db.query<Told>(
    `select message_id as "messageId"
     from tocsin.deliveries
     where state = 'accepted' and alert_ids @> array[$1::uuid] and created_at >= $2
     order by accepted_at
     limit 1`,
    [alertId, after],
  );
  return found.rows[0];
}

/** When the alert was resolved and why; undefined while it is open. */
export async function findResolution(
  db: Pool,
  alertId: string,
): Promise<{ readonly resolvedAt: Date; readonly resolution: string | null } | undefined> {
  const found = await db.query<{ resolvedAt: Date; resolution: string | null }>(
    `select resolved_at as "resolvedAt", resolution
     from tocsin.alerts
     where id = $1 and state = 'resolved'`,
    [alertId],
  );
  return found.rows[0];
}
