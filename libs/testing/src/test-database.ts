import { createPool } from '@tocsin/runtime';
import type { Pool } from '@tocsin/runtime';
import { afterAll, inject, vi } from 'vitest';
import { withDatabase } from './database-names.ts';
import type { BrokerAnswer } from './global-setup.ts';
import { createDatabase, dropDatabase } from './template-database.ts';

/** A database that belongs to one test file. */
export type TestDatabase = {
  readonly connectionString: string;
  /** Closed by the database itself when the file is done. */
  readonly pool: Pool;
};

export type TestDatabaseOptions = {
  /** `true` for a database without any schema, to test migrations. Default: all migrations have run, the queue's too. */
  readonly empty?: boolean;
};

const testTimeoutMs = 30_000;
const hookTimeoutMs = 60_000;
const poolMax = 10;
/** Milliseconds a closed connection may take to disappear from the server. */
const disconnectTimeoutMs = 2_000;
const disconnectPollMs = 10;

/**
 * Makes a database for this test file; call it at the top of the file: `const database = await createTestDatabase()`.
 * It is dropped when the file is done. If a connection other than its own pool's is still open then, the file fails:
 * in production that leak would hold connections for ever.
 */
export async function createTestDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  vi.setConfig({ testTimeout: testTimeoutMs, hookTimeout: hookTimeoutMs });
  const { adminUrl, template } = await askBroker();
  const name = await createDatabase(adminUrl, options.empty === true ? undefined : template);
  const connectionString = withDatabase(adminUrl, name);
  const pool = createPool({ connectionString, max: poolMax, applicationName: 'tocsin test', onError: () => {} });
  afterAll(async () => {
    await pool.end();
    const leaked = await openConnections(adminUrl, name);
    await dropDatabase(adminUrl, name);
    if (leaked.length > 0) {
      throw new Error(
        `This test file left ${leaked.length} connection(s) open; close every pool it makes:\n${leaked.join('\n')}`,
      );
    }
  });
  return { connectionString, pool };
}

async function askBroker(): Promise<BrokerAnswer> {
  const response = await fetch(inject('testServerBroker'));
  const text = await response.text();
  if (!response.ok) throw new Error(`The test database server did not start: ${text}`);
  return JSON.parse(text) as BrokerAnswer;
}

/** What is connected to the database `name`, once those that are just leaving have left; the asker's own pool excepted. */
export async function openConnections(adminUrl: string, name: string): Promise<readonly string[]> {
  const admin = createPool({
    connectionString: adminUrl,
    max: 1,
    applicationName: 'tocsin test leak check',
    onError: () => {},
  });
  try {
    const find = async (): Promise<readonly string[]> => {
      const { rows } = await admin.query<{ readonly connection: string }>(
        `select format('%s (%s): %s', application_name, state, query) as connection
         from pg_stat_activity
         where datname = $1 and backend_type = 'client backend' and pid <> pg_backend_pid()`,
        [name],
      );
      return rows.map((row) => row.connection);
    };
    return await vi
      .waitUntil(async () => ((await find()).length === 0 ? ([] as const) : undefined), {
        timeout: disconnectTimeoutMs,
        interval: disconnectPollMs,
      })
      .catch(find);
  } finally {
    await admin.end();
  }
}
