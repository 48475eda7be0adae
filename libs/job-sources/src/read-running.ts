import type { Queryable } from '@tocsin/runtime';
import type { JobSource } from './job-source.ts';
import { readSnapshots } from './read-snapshots.ts';
import type { Snapshots } from './read-snapshots.ts';

/** Most running jobs read at once. */
export const runningRowsMax = 5_000;

/** A page of jobs, and whether there are more of them. */
export interface SnapshotPage extends Snapshots {
  readonly more: boolean;
}

/** The running jobs; when there are more than `limit`, those whose last sign of life is the oldest. */
export const readRunning = async (
  queryable: Queryable,
  { statements: { snapshots } }: JobSource,
  { limit }: { readonly limit: number },
): Promise<SnapshotPage> => {
  const rowsMax = Math.max(1, Math.min(limit, runningRowsMax));
  const read = await readSnapshots(queryable, snapshots, snapshots.running, [rowsMax + 1]);
  return { ...read, jobs: read.jobs.slice(0, rowsMax), more: read.jobs.length > rowsMax };
};
