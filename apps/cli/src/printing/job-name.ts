/** `apple/refresh_catalog/songs`. */
export const jobName = (job: {
  readonly source: string;
  readonly jobType: string;
  readonly targetId: string | null;
}): string => [job.source, job.jobType, ...(job.targetId === null ? [] : [job.targetId])].join('/');

/** The first characters of an id, enough for a person to name it again. */
export const shortId = (id: string): string => id.slice(0, 8);
