import type { Instant } from '@tocsin/alert-model';
import { compareInstants, runStepsMax } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { toSnapshot } from './job-snapshot.ts';
import type { JobSnapshot, SnapshotRow } from './job-snapshot.ts';
import type { JobSource } from './job-source.ts';
import { rawName } from './job-type.ts';
import { isRowError } from './row-error.ts';

/** Most runs of a chain read at once. */
export const chainRunsMax = 50;

/** One run of a chain. */
export interface ChainRun {
  readonly run: string;
  /** The run's id where it is a time, else when its first job was made. */
  readonly startedAt: Instant;
  /** At most `runStepsMax`, of the job types asked for. */
  readonly jobs: readonly JobSnapshot[];
}

/** Which runs are asked for. */
export interface ChainRunsQuery {
  readonly source: string;
  readonly jobTypes: readonly string[];
  readonly startedAfter: Instant;
  readonly limit: number;
}

/**
 * The runs of a chain that started after an instant, newest first, with their jobs as they stand. Empty when the table's
 * runs cannot be found by an index (`JobSource.readsRuns`). Runs without any time are left out.
 */
export const readRuns = async (
  queryable: Queryable,
  { statements: { chainRuns } }: JobSource,
  { source, jobTypes, startedAfter, limit }: ChainRunsQuery,
): Promise<readonly ChainRun[]> => {
  if (chainRuns === null || jobTypes.length === 0) return [];
  const values = [
    rawName(source),
    jobTypes.map(rawName),
    startedAfter,
    Math.max(1, Math.min(limit, chainRunsMax)),
    runStepsMax,
  ];
  const read = async (text: string) =>
    (await queryable.query<SnapshotRow & { readonly run_id: string }>(text, values)).rows;
  let rows;
  try {
    rows = await read(chainRuns.text);
  } catch (error) {
    if (!isRowError(error)) throw error;
    rows = await read(chainRuns.bare);
  }
  return [...Map.groupBy(rows, ({ run_id: run }) => run)]
    .flatMap(([run, jobs]): ChainRun[] => {
      const snapshots = jobs.map(toSnapshot);
      const startedAt = timeIn(run) ?? earliest(snapshots);
      return startedAt === null || compareInstants(startedAt, startedAfter) <= 0
        ? []
        : [{ run, startedAt, jobs: snapshots }];
    })
    .toSorted((a, b) => compareInstants(b.startedAt, a.startedAt));
};

/** ISO 8601 with a zone; without one it would be the local time of nobody knows where. */
const instantPattern = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/;

const timeIn = (run: string): Instant | null => {
  const ms = instantPattern.test(run) ? Date.parse(run) : Number.NaN;
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
};

const earliest = (jobs: readonly JobSnapshot[]): Instant | null =>
  jobs.flatMap(({ createdAt, startedAt }) => createdAt ?? startedAt ?? []).toSorted(compareInstants)[0] ?? null;
