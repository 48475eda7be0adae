import { TocsinError, createPool, databaseErrorKind } from '@tocsin/runtime';
import type { Config, Queryable } from '@tocsin/runtime';
import { findDatabase } from './find-database.ts';

/** What is asked in passing must not take long. */
const statementTimeoutMs = 5_000;

/**
 * Asks Tocsin's database something that is good to know but not needed. Undefined when there is no database, when it
 * cannot be reached, or when it is of a version that does not know the answer.
 */
export const tryDatabase = async <Result>(
  config: Config,
  work: (queryable: Queryable) => Promise<Result>,
): Promise<Result | undefined> => {
  const found = await findDatabase(config).catch((error: unknown) => {
    if (error instanceof TocsinError) return undefined;
    throw error;
  });
  if (found === undefined) return undefined;
  const pool = createPool({
    connectionString: found.connectionString,
    max: 1,
    applicationName: 'tocsin-cli',
    onError: () => {},
    statementTimeoutMs,
  });
  try {
    return await work(pool);
  } catch (error) {
    if (databaseErrorKind(error) === undefined) throw error;
    return undefined;
  } finally {
    await pool.end();
  }
};
