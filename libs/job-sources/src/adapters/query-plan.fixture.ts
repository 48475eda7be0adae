import type { Pool } from '@tocsin/runtime';
import type { JobSource } from '../job-source.ts';

/** How the server carries a statement out, as text. */
export const planOf = async (pool: Pool, text: string, values: readonly unknown[]): Promise<string> => {
  const { rows } = await pool.query<{ 'QUERY PLAN': string }>(
    `explain (analyze, buffers off, timing off) ${text}`,
    values,
  );
  return rows.map((row) => row['QUERY PLAN']).join('\n');
};

/** Every statement that looks for failures, with values as a detector sends them; `changed` and `id` are of a row. */
export const failureScans = (
  { statements }: JobSource,
  { since, changed, id }: { readonly since: string; readonly changed: string; readonly id: string },
): readonly (readonly [caption: string, text: string, values: readonly unknown[]])[] => [
  ['scan', statements.failuresFrom, [since, 500]],
  ['next page of the scan', statements.failuresAfter, [changed, id, 500]],
  ['scan without texts', statements.bareFailuresFrom, [since, 500]],
  ['skim', statements.skimFrom, [since, 500]],
  ['next page of the skim', statements.skimAfter, [changed, id, 500]],
  ['read by id', statements.failuresById, [[id]]],
  ['comparison', statements.identitiesFrom, [86_400_000, 500]],
  ['next page of the comparison', statements.identitiesAfter, [86_400_000, 500, changed, id]],
  ['comparison of undated rows', statements.undatedFrom, [86_400_000, 500]],
];
