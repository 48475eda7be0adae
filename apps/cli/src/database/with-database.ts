import { assertSchemaUnderstood, createPool, databaseErrorKind, databaseNow, toDatabaseError } from '@tocsin/runtime';
import type { Config, Pool } from '@tocsin/runtime';
import type { Invocation } from '../terminal.ts';
import { findDatabase, withConnection } from './find-database.ts';
import { readConfig } from './read-config.ts';

const connectionsMax = 3;

/** Tocsin's own database, open for one command. */
export interface OpenDatabase {
  readonly pool: Pool;
  readonly connectionString: string;
  /** With the databases filled in. */
  readonly config: Config;
  /** The database's clock when the command began. */
  readonly now: string;
}

/**
 * Opens Tocsin's database, makes sure that this version understands it, and closes it when the work is done.
 *
 * @throws TocsinError that says what is wrong with the database and how to put it right
 */
export const withDatabase = async <Result>(
  invocation: Invocation,
  work: (database: OpenDatabase) => Promise<Result>,
): Promise<Result> => {
  const config = readConfig(invocation);
  const { connectionString, variable } = await findDatabase(config);
  const pool = createPool({
    connectionString,
    max: connectionsMax,
    applicationName: 'tocsin-cli',
    // The statement that was under way reports it.
    onError: () => {},
  });
  try {
    await assertSchemaUnderstood(pool);
    return await work({
      pool,
      connectionString,
      config: withConnection(config, connectionString),
      now: await databaseNow(pool),
    });
  } catch (error) {
    throw databaseErrorKind(error) === undefined ? error : toDatabaseError(error, connectionString, variable);
  } finally {
    await pool.end();
  }
};
