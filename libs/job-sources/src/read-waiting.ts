import type { Queryable } from '@tocsin/runtime';
import type { JobSource } from './job-source.ts';
import { rawName } from './job-type.ts';
import type { JobType } from './job-type.ts';
import type { SnapshotPage } from './read-running.ts';
import { readSnapshots } from './read-snapshots.ts';

/** Most waiting jobs read at once. */
export const waitingRowsMax = 2_000;
/** Most types left out of one reading. */
export const typesLeftOutMax = 200;

/**
 * Jobs that have waited for at least `waitedMs` (waiting, or failed but not for good), those that are due the longest
 * first. Since when each waits is its `dueAt`. A row without any time is not found.
 *
 * @param without types that are left out, because they would fill the page; at most `typesLeftOutMax`
 */
export const readWaiting = async (
  queryable: Queryable,
  { statements: { snapshots } }: JobSource,
  {
    waitedMs,
    limit,
    without = [],
  }: { readonly waitedMs: number; readonly limit: number; readonly without?: readonly JobType[] },
): Promise<SnapshotPage> => {
  const rowsMax = Math.max(1, Math.min(limit, waitingRowsMax));
  const read = await readSnapshots(queryable, snapshots, snapshots.waiting, [
    Math.max(0, waitedMs),
    rowsMax + 1,
    without.slice(0, typesLeftOutMax).map(({ source, jobType }) => `${rawName(source)}\n${rawName(jobType)}`),
  ]);
  return { ...read, jobs: read.jobs.slice(0, rowsMax), more: read.jobs.length > rowsMax };
};
