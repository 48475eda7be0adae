import type { Instant } from '@tocsin/alert-model';
import { InvariantError } from '@tocsin/runtime';
import type { Queryable } from '@tocsin/runtime';
import { isRowError } from './row-error.ts';
import { toSnapshot } from './job-snapshot.ts';
import type { JobSnapshot, SnapshotRow } from './job-snapshot.ts';
import type { SnapshotStatements, TextAndBare } from './source-statements.ts';

/** Statements spent on finding the rows of a page that cannot be read; what is not found by then has no texts. */
const searchStatementsMax = 60;

export interface Snapshots {
  readonly jobs: readonly JobSnapshot[];
  /** The database's clock. */
  readonly readAt: Instant;
}

type ClockedRow = SnapshotRow & { readonly read_at: Instant };

/**
 * Sends a statement that reads jobs. When a text of some row cannot be read (invalid bytes, damaged pages), the jobs are
 * read without texts, and then in ever smaller groups with them, so that only the odd rows are left without names.
 */
export const readSnapshots = async (
  queryable: Queryable,
  { byId }: SnapshotStatements,
  statement: TextAndBare,
  values: readonly unknown[],
): Promise<Snapshots> => {
  const read = async (text: string, parameters: readonly unknown[]): Promise<Snapshots> => {
    const { rows } = await queryable.query<ClockedRow>(text, parameters);
    const readAt = rows[0]?.read_at;
    if (readAt === undefined) throw new InvariantError('The statement that reads jobs returned no time of reading.');
    return { readAt, jobs: rows.filter(({ id }) => id !== null).map(toSnapshot) };
  };
  try {
    return await read(statement.text, values);
  } catch (error) {
    if (!isRowError(error)) throw error;
  }
  const bare = await read(statement.bare, values);
  let left = searchStatementsMax;
  const named = new Map<string, JobSnapshot>();
  const search = async (ids: readonly string[]): Promise<void> => {
    if (ids.length === 0 || left === 0) return;
    left -= 1;
    try {
      for (const job of (await read(byId.text, [ids])).jobs) named.set(job.id, job);
    } catch (error) {
      if (!isRowError(error)) throw error;
      if (ids.length === 1) return;
      const middle = Math.ceil(ids.length / 2);
      await search(ids.slice(0, middle));
      await search(ids.slice(middle));
    }
  };
  await search(bare.jobs.map(({ id }) => id));
  // The times are those of the first reading; a row may have changed since.
  return { ...bare, jobs: bare.jobs.map((job) => withNames(job, named.get(job.id))) };
};

const withNames = (job: JobSnapshot, named: JobSnapshot | undefined): JobSnapshot =>
  named === undefined
    ? job
    : {
        ...job,
        status: named.status,
        source: named.source,
        jobType: named.jobType,
        targetId: named.targetId,
        run: named.run,
        stage: named.stage,
        progress: named.progress,
        counts: named.counts ?? null,
        details: named.details ?? null,
      };
