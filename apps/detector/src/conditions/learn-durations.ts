import { limitsFor } from '@tocsin/alert-model';
import type { Rule } from '@tocsin/alert-model';
import { readDurations } from '@tocsin/job-sources';
import type { JobSnapshot, JobSource } from '@tocsin/job-sources';
import type { Pool } from '@tocsin/runtime';
import { createBoundedMap } from '../bounded-map.ts';
import type { BoundedMap } from '../bounded-map.ts';
import { typeKey } from './condition.ts';
import type { LearnedDuration } from './judge-stuck.ts';

/** How long what was learned of a type is relied upon, in milliseconds. */
const learnedForMs = 600_000;
/** Types remembered. */
const typesMax = 2_000;
/** Types learned of by one look. */
const typesPerLookMax = 200;

/** What is known of how long jobs take, by type. */
export type LearnedDurations = BoundedMap<string, LearnedDuration & { readonly atMs: number }>;

export const createLearnedDurations = (): LearnedDurations => createBoundedMap(typesMax);

/** Reads how long past jobs took, of the running types whose limit is learned from that and that are not known yet. */
export const learnDurations = async (
  known: LearnedDurations,
  pool: Pool,
  source: JobSource,
  running: readonly JobSnapshot[],
  rules: readonly Rule[],
  nowMs: number,
): Promise<ReadonlyMap<string, LearnedDuration>> => {
  const wanted = new Map(
    running
      .filter((job) => job.heartbeatAt === null && limitsFor(rules, job).stuckAfter.mode === 'auto')
      .map(({ source: of, jobType }) => [typeKey({ source: of, jobType }), { source: of, jobType }]),
  );
  const stale = [...wanted].filter(([key]) => {
    const learned = known.get(key);
    return learned === undefined || nowMs - learned.atMs >= learnedForMs;
  });
  if (stale.length > 0) {
    const asked = stale.slice(0, typesPerLookMax);
    const found = await readDurations(
      pool,
      source,
      asked.map(([, type]) => type),
      {},
    );
    for (const [key] of asked) known.set(key, { ...(found.get(key) ?? { samples: 0, p99Ms: 0 }), atMs: nowMs });
  }
  return new Map(
    [...wanted.keys()].flatMap((key) => {
      const learned = known.get(key);
      return learned === undefined ? [] : [[key, learned] as const];
    }),
  );
};
