import type { FailureSignal, Instant } from '@tocsin/alert-model';
import type { JobSnapshot, JobSource } from '@tocsin/job-sources';
import { readFailures, readJobs } from '@tocsin/job-sources';
import type { Queryable } from '@tocsin/runtime';

/** What a watched table says of one job now. */
export interface JobRow {
  readonly job: JobSnapshot;
  /** That database's clock when the row was read. */
  readonly readAt: Instant;
  /** The outcome as the detector would read it; null when the job has neither failed for good nor succeeded in part. */
  readonly outcome: FailureSignal | null;
}

/** Looks a job up by its id; null when the table has none, or the id cannot be one of its ids. */
export const readJobRow = async (queryable: Queryable, source: JobSource, jobId: string): Promise<JobRow | null> => {
  const { jobs, readAt } = await readJobs(queryable, source, [jobId]);
  const job = jobs.get(jobId) ?? jobs.values().next().value;
  if (job === undefined) return null;
  const failures = await readFailures(queryable, source, [jobId]);
  const partials =
    failures.length > 0 || !source.countsParts
      ? []
      : await readFailures(queryable, source, [jobId], { what: 'partials' });
  return { job, readAt, outcome: failures[0] ?? partials[0] ?? null };
};
