import { customiseMapping, findMapping, inspectTable } from '@tocsin/job-sources';
import type { AdapterMapping } from '@tocsin/job-sources';
import { TocsinError, createPool, describeDatabaseError } from '@tocsin/runtime';
import type { JobTableConfig } from '@tocsin/runtime';
import type { OpenDatabase } from '../database/with-database.ts';
import { readJobRow } from './read-job-row.ts';
import type { JobRow } from './read-job-row.ts';

/** A job's row (null when there is none), or why its table could not be looked at. */
export type RowLook =
  | { readonly mapping: AdapterMapping; readonly row: JobRow | null }
  /** A sentence. */
  | { readonly problem: string };

/** Looks for a job in a watched table, wherever its database is. Throws nothing that the database answers. */
export const lookAtRow = async (
  database: Pick<OpenDatabase, 'pool' | 'connectionString'>,
  table: JobTableConfig,
  jobId: string,
): Promise<RowLook> => {
  const preset = findMapping(table.adapter);
  if (preset === undefined)
    return { problem: `Table ${table.name} has the adapter ${table.adapter}, which this version does not know.` };
  const url = table.databaseUrl ?? database.connectionString;
  const other =
    url === database.connectionString
      ? undefined
      : createPool({ connectionString: url, max: 1, applicationName: 'tocsin-cli', onError: () => {} });
  const queryable = other ?? database.pool;
  try {
    const mapping = customiseMapping(preset, table);
    const { source, problems } = await inspectTable(queryable, mapping, table);
    return source === null
      ? { problem: `Table ${table.name} cannot be read: ${problems.join(' ')}` }
      : { mapping, row: await readJobRow(queryable, source, jobId) };
  } catch (error) {
    const why = error instanceof TocsinError ? error.message : describeDatabaseError(error, url, 'its database_url');
    return { problem: `Table ${table.name} could not be looked at: ${why}` };
  } finally {
    await other?.end();
  }
};
