import type { Instant } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import type { JobSource } from './job-source.ts';
import { rawName } from './job-type.ts';

/** Most pieces of work asked about at once; further ones have no history. */
export const historyWorkMax = 500;
/** Successes counted for each by default, and at most. */
export const historySuccessesMax = 10_000;

/** Work whose successes are asked for. */
export interface PastWork {
  readonly source: string;
  readonly jobType: string;
  /** `any`: whatever target the job has; null: a job without a target. */
  readonly target: { readonly id: string | null } | 'any';
  /** Successes after this; null: since ever. */
  readonly since: Instant | null;
  /** Successes up to this, included. */
  readonly before: Instant;
}

export interface WorkHistory {
  /** Never later than `before`; null when there is none. */
  readonly lastSuccessAt: Instant | null;
  /** At most `successesMax`. */
  readonly successes: number;
}

/** What is known of the successes of each piece of work, in the order asked. One statement. */
export const readHistory = async (
  queryable: Queryable,
  { statements: { history } }: JobSource,
  works: readonly PastWork[],
  { successesMax = historySuccessesMax }: { readonly successesMax?: number } = {},
): Promise<readonly WorkHistory[]> => {
  if (works.length === 0) return [];
  const asked = works.slice(0, historyWorkMax).map((work, n) => ({ ...work, n }));
  const targeted = asked.filter(({ target }) => target !== 'any' && target.id !== null);
  const { rows } = await queryable.query<{
    readonly n: number;
    readonly last_success_at: Instant | null;
    readonly successes: number;
  }>(history, [
    ...asArrays(targeted),
    targeted.map(({ target }) => (target === 'any' ? null : target.id)),
    ...asArrays(asked.filter(({ target }) => target !== 'any' && target.id === null)),
    ...asArrays(asked.filter(({ target }) => target === 'any')),
    Math.max(1, Math.min(successesMax, historySuccessesMax)),
  ]);
  const byN = new Map(rows.map((row) => [row.n, row]));
  return works.map((_, n) => {
    const row = byN.get(n);
    return {
      lastSuccessAt: row?.last_success_at ?? null,
      successes: Math.min(row?.successes ?? 0, successesMax),
    };
  });
};

const asArrays = (works: readonly (PastWork & { readonly n: number })[]): readonly unknown[] => [
  works.map(({ n }) => n),
  works.map(({ source }) => rawName(source)),
  works.map(({ jobType }) => rawName(jobType)),
  works.map(({ since }) => since ?? '-infinity'),
  works.map(({ before }) => before),
];
