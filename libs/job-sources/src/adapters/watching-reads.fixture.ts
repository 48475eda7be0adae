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
    ['waiting jobs', statements.snapshots.waiting.text, [3_600_000, 100]],
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
