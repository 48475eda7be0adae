import { nameCharsMax, toErrorText } from '@tocsin/alert-model';
import type { JobDetails } from '@tocsin/alert-model';
import type { FailureRow } from './failure-row.ts';
import { toNameOrNull } from './job-name.ts';
import type { JobSnapshot } from './job-snapshot.ts';
import { toCount } from './to-count.ts';
import { toPercent } from './to-percent.ts';

/** What the row of a failure says beyond its identity; null when the table has nothing of the kind. */
export const detailsOfRow = (row: FailureRow, secrets: readonly string[]): JobDetails | null => {
  const { stage, progress, heartbeat_at: heartbeatAt, details, counted_failed: failed, counted_total: total } = row;
  if ([stage, progress, heartbeatAt, details, failed].every((value) => value === undefined)) return null;
  return {
    stage: toNameOrNull(stage ?? null),
    progress: toPercent(progress ?? null),
    counts: countsOf(failed, total),
    startedAt: row.started_at,
    heartbeatAt: heartbeatAt ?? null,
    fields: fieldsOf(details, secrets),
  };
};

/** The same of a job as its row stands. */
export const detailsOfSnapshot = (job: JobSnapshot, secrets: readonly string[]): JobDetails => ({
  stage: job.stage,
  progress: toPercent(job.progress),
  counts: job.counts ?? null,
  startedAt: job.startedAt,
  heartbeatAt: job.heartbeatAt,
  fields: fieldsOf(job.details, secrets),
});

/** Parts of a job: how many failed, of how many. null when the row counts none, or says nothing usable. */
export const countsOf = (
  failedCount: number | string | null | undefined,
  totalCount: number | string | null | undefined,
): JobDetails['counts'] => {
  const failed = toCount(failedCount ?? null);
  return failed === null ? null : { failed, total: toCount(totalCount ?? null) };
};

/** Further values by name, without those that say nothing. An address may hold a password, so they are redacted. */
const fieldsOf = (details: string | null | undefined, secrets: readonly string[]): JobDetails['fields'] =>
  Object.fromEntries(
    Object.entries(JSON.parse(details ?? '{}') as Record<string, unknown>).flatMap(([name, value]) => {
      const text = typeof value === 'string' ? (toErrorText(value, secrets) ?? '') : '';
      return text === '' ? [] : [[name, beginningOf(text)]];
    }),
  );

/** No more than a signal may carry. */
const beginningOf = (text: string): string =>
  text.length <= nameCharsMax ? text : `${text.slice(0, nameCharsMax - 2).toWellFormed()} …`;
