import type { Instant } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import type { JobSource } from './job-source.ts';
import { rawName, typeKey } from './job-type.ts';
import type { JobType } from './job-type.ts';
import { jobTypesMax } from './read-durations.ts';

/**
 * When a job of each type ended last, well or badly, by `${source}\n${jobType}`; never later than now. Types of which none
 * has ended are not in it, nor are those whose rows go when they succeed and that never failed.
 */
export const readLatestEnds = async (
  queryable: Queryable,
  { statements: { latestEnds } }: JobSource,
  types: readonly JobType[],
): Promise<ReadonlyMap<string, Instant>> => {
  const asked = types.slice(0, jobTypesMax);
  if (asked.length === 0) return new Map();
  const { rows } = await queryable.query<{ readonly n: number; readonly ended_at: Instant | null }>(latestEnds, [
    asked.map(({ source }) => rawName(source)),
    asked.map(({ jobType }) => rawName(jobType)),
  ]);
  return new Map(
    rows.flatMap(({ n, ended_at: endedAt }) => {
      const type = asked[n - 1];
      return type === undefined || endedAt === null ? [] : [[typeKey(type), endedAt] as const];
    }),
  );
};
