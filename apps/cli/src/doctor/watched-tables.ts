import { findMapping, inspectTable } from '@tocsin/job-sources';
import type { TableInspection } from '@tocsin/job-sources';
import { createPool, describeDatabaseError } from '@tocsin/runtime';
import type { JobTableConfig, Pool } from '@tocsin/runtime';
import type { Patient } from './finding.ts';

/** A watched table as it was found; `inspection` is null when it could not be looked at, and `problem` says why. */
export interface WatchedTable {
  readonly job: JobTableConfig;
  readonly pool: Pool;
  readonly inspection: TableInspection | null;
  readonly problem: string | null;
}

/** Looks at every watched table and does the work while the connections to their databases are open. */
export const withWatchedTables = async <Result>(
  { config, connectionString, pool }: Patient,
  work: (tables: readonly WatchedTable[]) => Promise<Result>,
): Promise<Result> => {
  const others = new Map<string, Pool>();
  const poolOf = (url: string): Pool => {
    if (url === connectionString) return pool;
    const known =
      others.get(url) ??
      createPool({ connectionString: url, max: 2, applicationName: 'tocsin-doctor', onError: () => {} });
    others.set(url, known);
    return known;
  };
  try {
    const tables: WatchedTable[] = [];
    for (const job of config.jobs) {
      const url = job.databaseUrl ?? connectionString;
      tables.push(await look(job, poolOf(url), url));
    }
    return await work(tables);
  } finally {
    await Promise.all([...others.values()].map((other) => other.end()));
  }
};

const look = async (job: JobTableConfig, pool: Pool, url: string): Promise<WatchedTable> => {
  const mapping = findMapping(job.adapter);
  if (mapping === undefined)
    return { job, pool, inspection: null, problem: `table ${job.name}: this version has no adapter ${job.adapter}` };
  try {
    return { job, pool, inspection: await inspectTable(pool, mapping, job), problem: null };
  } catch (error) {
    return {
      job,
      pool,
      inspection: null,
      problem: `table ${job.name}: ${describeDatabaseError(error, url, 'JOBS_DATABASE_URL')}`,
    };
  }
};
