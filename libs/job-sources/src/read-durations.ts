import type { Queryable } from '@tocsin/runtime';
import type { JobSource } from './job-source.ts';
import { rawName, typeKey } from './job-type.ts';
import type { JobType } from './job-type.ts';

/** Most job types asked about at once; further ones are ignored. */
export const jobTypesMax = 200;
/** Newest successes of a type that are looked at by default, and at most. */
export const durationSamplesMax = 1_000;

/** How long jobs of a type took, in milliseconds. */
export interface Durations {
  /** Successes looked at. */
  readonly samples: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/**
 * How long the newest successes of each type took, from start to end, by `${source}\n${jobType}`. Types without a success
 * that says both are not in it; nothing is where the table has no such times.
 */
export const readDurations = async (
  queryable: Queryable,
  { statements: { durations } }: JobSource,
  types: readonly JobType[],
  { samplesMax = durationSamplesMax }: { readonly samplesMax?: number } = {},
): Promise<ReadonlyMap<string, Durations>> => {
  const asked = types.slice(0, jobTypesMax);
  if (durations === null || asked.length === 0) return new Map();
  const { rows } = await queryable.query<{
    readonly n: number;
    readonly samples: number;
    readonly p50: number;
    readonly p99: number;
  }>(durations, [
    asked.map(({ source }) => rawName(source)),
    asked.map(({ jobType }) => rawName(jobType)),
    Math.max(1, Math.min(samplesMax, durationSamplesMax)),
  ]);
  return new Map(
    rows.flatMap(({ n, samples, p50, p99 }) => {
      const type = asked[n - 1];
      return type === undefined || samples === 0 ? [] : [[typeKey(type), { samples, p50Ms: p50, p99Ms: p99 }] as const];
    }),
  );
};
