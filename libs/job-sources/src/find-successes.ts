import type { Instant, SuccessSignal } from '@tocsin/alert-model';
import { compareInstants } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { toName, toNameOrNull } from './job-name.ts';
import type { JobSource } from './job-source.ts';
import { rawName } from './job-type.ts';
import { outcomeId } from './outcome-id.ts';

/** Most pieces of work looked up by one statement. */
export const watchedWorkMax = 2_000;
/** Latest successes looked at for each; a chain's whole green run is among them unless jobs run much more often than chains. */
const successesPerWorkMax = 5;

/** Work that an open alert waits for. */
export interface WatchedWork {
  readonly source: string;
  readonly jobType: string;
  /** `any`: whatever target the job has; null: a job without a target. */
  readonly target: { readonly id: string | null } | 'any';
  /** Only successes that finished after this count. */
  readonly since: Instant;
}

/** A success, and the position in the question of the work it is a success of. */
export interface FoundSuccess {
  readonly n: number;
  readonly signal: SuccessSignal;
}

interface SuccessRow {
  readonly n: number;
  readonly read_at: Instant;
  readonly id: string;
  readonly target_id: string | null;
  readonly identity_at: string | null;
  readonly attempts: number | string | null;
  readonly finished_at: Instant | null;
  readonly run: string | null;
}

/**
 * The latest successes of each piece of work, oldest first, by one statement with one index probe for each. A success
 * without an end time counts with the time of its last change; one from the future with the time of reading. Work whose
 * names were shortened because of their length is not found.
 *
 * @param watched at most `watchedWorkMax`; the rest is ignored
 */
export const findSuccesses = async (
  queryable: Queryable,
  source: JobSource,
  watched: readonly WatchedWork[],
): Promise<readonly FoundSuccess[]> => {
  const work = watched.slice(0, watchedWorkMax).map((item, n) => ({ ...item, n }));
  if (work.length === 0) return [];
  const targeted = work.filter(({ target }) => target !== 'any' && target.id !== null);
  const whole = work.filter(({ target }) => target !== 'any' && target.id === null);
  const any = work.filter(({ target }) => target === 'any');
  const { rows } = await queryable.query<SuccessRow>(source.statements.successes, [
    ...asArrays(targeted),
    targeted.map(({ target }) => (target === 'any' ? null : target.id)),
    ...asArrays(whole),
    ...asArrays(any),
    successesPerWorkMax,
  ]);
  return rows
    .flatMap((row): FoundSuccess[] => {
      const item = work[row.n];
      return item === undefined ? [] : [{ n: row.n, signal: toSuccessSignal(row, item, source.name) }];
    })
    .toSorted((a, b) => compareInstants(a.signal.finishedAt, b.signal.finishedAt));
};

const asArrays = (work: readonly (WatchedWork & { readonly n: number })[]): readonly unknown[] => [
  work.map(({ n }) => n),
  work.map(({ source }) => rawName(source)),
  work.map(({ jobType }) => rawName(jobType)),
  work.map(({ since }) => since),
];

const toSuccessSignal = (row: SuccessRow, item: WatchedWork, table: string): SuccessSignal => {
  const finishedAt = row.finished_at ?? row.read_at;
  return {
    v: 1,
    signal: 'SuccessDetected',
    outcomeId: outcomeId({ table, jobId: row.id, kind: 'succeeded', at: row.identity_at, attempts: row.attempts }),
    table: toName(table),
    jobId: toName(row.id),
    source: item.source,
    jobType: item.jobType,
    targetId: toNameOrNull(row.target_id),
    run: toNameOrNull(row.run),
    finishedAt: compareInstants(finishedAt, row.read_at) > 0 ? row.read_at : finishedAt,
    observedAt: row.read_at,
  };
};
