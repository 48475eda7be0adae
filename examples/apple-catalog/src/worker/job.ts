/** A claimed row of `public.research_jobs`, as far as this worker needs it. */
export interface Job {
  readonly id: string;
  readonly source: string;
  readonly job_type: string;
  readonly target_id: string | null;
  /** Counts the attempt that is running. */
  readonly attempts: number;
  readonly max_attempts: number;
  /** The run this job belongs to; null for a job that somebody enqueued by hand. */
  readonly chain_started_at: string | null;
}

/** For example `apple/refresh_catalog/songs`. */
export function jobName(job: Pick<Job, 'source' | 'job_type' | 'target_id'>): string {
  return [job.source, job.job_type, ...(job.target_id === null ? [] : [job.target_id])].join('/');
}

/** Says that the row is no longer this worker's: a janitor or a person took it away. Nothing more may be written. */
export class JobTakenAwayError extends Error {
  constructor(job: Job) {
    super(`${jobName(job)} (${job.id}) is no longer running as attempt ${job.attempts}: it was taken away`);
    this.name = 'JobTakenAwayError';
  }
}
