import { adapterNames, customMappingProblems, customiseMapping, findMapping, inspectTable } from '@tocsin/job-sources';
import type { TableInspection } from '@tocsin/job-sources';
import { TocsinError, createPool, describeDatabaseError } from '@tocsin/runtime';
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
  const unusable = (problem: string): WatchedTable => ({ job, pool, inspection: null, problem });
  const preset = findMapping(job.adapter);
  if (preset === undefined)
    return unusable(
      `table ${job.name}: this version has no adapter ${job.adapter}; there is ${adapterNames.join(', ')}`,
    );
  try {
    const mapping = customiseMapping(preset, job);
    const problems = preset.adapter === 'custom' ? customMappingProblems(mapping, job.name) : [];
    return problems.length > 0
      ? unusable(problems.join(' '))
      : { job, pool, inspection: await inspectTable(pool, mapping, job), problem: null };
  } catch (error) {
    return unusable(
      `table ${job.name}: ${error instanceof TocsinError ? error.message : describeDatabaseError(error, url, 'JOBS_DATABASE_URL')}`,
    );
  }
};
