import type { Queryable } from '@tocsin/runtime';
import type { JobSource } from './job-source.ts';
import type { SnapshotPage } from './read-running.ts';
import { readSnapshots } from './read-snapshots.ts';

/** Most waiting jobs read at once. */
export const waitingRowsMax = 2_000;

/**
 * Jobs that have waited for at least `waitedMs` (waiting, or failed but not for good), those that are due the longest
 * first. Since when each waits is its `dueAt`. A row without any time is not found.
 */
export const readWaiting = async (
  queryable: Queryable,
  { statements: { snapshots } }: JobSource,
  { waitedMs, limit }: { readonly waitedMs: number; readonly limit: number },
): Promise<SnapshotPage> => {
  const rowsMax = Math.max(1, Math.min(limit, waitingRowsMax));
  const read = await readSnapshots(queryable, snapshots, snapshots.waiting, [Math.max(0, waitedMs), rowsMax + 1]);
  return { ...read, jobs: read.jobs.slice(0, rowsMax), more: read.jobs.length > rowsMax };
};
