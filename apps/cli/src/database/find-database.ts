import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { TocsinError, findEmbeddedPostgres } from '@tocsin/runtime';
import type { Config } from '@tocsin/runtime';

/** Tocsin's own database, and where its address was found. */
export interface FoundDatabase {
  readonly connectionString: string;
  /** Named in errors: `DATABASE_URL`, or the file that `tocsin up` writes. */
  readonly variable: string;
}

/** The file that holds the address of the embedded database while `tocsin up` runs. */
export const databaseUrlFile = (config: Pick<Config, 'stateDirectory'>): string =>
  join(config.stateDirectory, 'database-url');

/**
 * The database that is configured, else the embedded one that a `tocsin up` runs in this directory.
 *
 * @throws TocsinError `NO_DATABASE` when there is neither
 */
export const findDatabase = async (config: Config): Promise<FoundDatabase> => {
  if (config.databaseUrl !== undefined) return { connectionString: config.databaseUrl, variable: 'DATABASE_URL' };
  const embedded = await findEmbeddedPostgres(config.stateDirectory);
  if (embedded !== undefined) return { connectionString: embedded, variable: databaseUrlFile(config) };
  const what = existsSync(join(config.stateDirectory, 'postgres'))
    ? `the embedded database in ${config.stateDirectory} is not running`
    : `there is no embedded database in ${config.stateDirectory}`;
  throw new TocsinError('NO_DATABASE', `DATABASE_URL is not set, and ${what}. Start it with: npx tocsin up`);
};

/** The configuration with its databases filled in, for the parts that are given nothing else. */
export const withConnection = (config: Config, connectionString: string): Config => ({
  ...config,
  databaseUrl: connectionString,
  jobs: config.jobs.map((job) => ({ ...job, databaseUrl: job.databaseUrl ?? connectionString })),
});
