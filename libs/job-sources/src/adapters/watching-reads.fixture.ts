import { readFileSync } from 'node:fs';
import type { JobSource } from '../job-source.ts';

/** The statements besides the scan that a detector sends again and again, with values as it sends them. */
export const watchingReads = (
  { statements }: JobSource,
  work: { readonly source: string; readonly jobType: string; readonly since: string; readonly id: string },
): readonly (readonly [caption: string, text: string, values: readonly unknown[]])[] => {
  const nobody = [[], [], [], []];
  const anyTarget = [[0], [work.source], [work.jobType], [work.since]];
  return [
    ['running jobs', statements.snapshots.running.text, [100]],
    ['waiting jobs', statements.snapshots.waiting.text, [3_600_000, 100, []]],
    ['jobs by id', statements.snapshots.byId.text, [[work.id]]],
    ['look for successes', statements.successes, [...nobody, [], ...nobody, ...anyTarget, 5]],
  ];
};

/** How many entries of an index a plan read, in the order of the index; fails when it was not read so. */
export const entriesRead = (plan: string, index: string): number => {
  const found = new RegExp(`Index (?:Only )?Scan using ${index} .*actual rows=(\\d+)`).exec(plan)?.[1];
  if (found === undefined) throw new Error(`The plan does not go through ${index} in its order:\n${plan}`);
  return Number(found);
};

/** The indexes that the page of the adapter tells people to create, as they would paste them. */
export const indexesOnPage = (page: string): readonly string[] => {
  const text = readFileSync(new URL(`../../../../docs/adapters/${page}.md`, import.meta.url), 'utf8');
  const statements = [...text.matchAll(/create index concurrently [^;]+;/g)].map(([statement]) => statement);
  if (statements.length === 0) throw new Error(`docs/adapters/${page}.md has no index to create.`);
  return statements;
};
