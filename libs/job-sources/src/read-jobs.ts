import type { Instant } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { idValues } from './id-values.ts';
import type { JobSnapshot } from './job-snapshot.ts';
import type { JobSource } from './job-source.ts';
import { readSnapshots } from './read-snapshots.ts';
import { requireField } from './statement-parts.ts';

/** Most jobs read by id at once; further ids are ignored. */
export const jobsByIdMax = 1_000;

/** Jobs by id, whatever their state. A row that is gone is not in the map, nor is an id the column could not hold. */
export const readJobs = async (
  queryable: Queryable,
  { resolved, statements: { snapshots } }: JobSource,
  ids: readonly string[],
): Promise<{ readonly jobs: ReadonlyMap<string, JobSnapshot>; readonly readAt: Instant }> => {
  const asked = idValues(ids.slice(0, jobsByIdMax), requireField(resolved.id));
  const { jobs, readAt } = await readSnapshots(queryable, snapshots, snapshots.byId, [asked]);
  return { jobs: new Map(jobs.map((job) => [job.id, job])), readAt };
};
