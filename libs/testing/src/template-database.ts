import { randomBytes } from 'node:crypto';
import { migrateQueue } from '@tocsin/queue';
import { createPool, migrate } from '@tocsin/runtime';
import { quoteIdentifier, withDatabase } from './database-names.ts';

/** Makes a database with the product's and the queue's schema, closed to connections, from which test files clone theirs. */
export async function createTemplateDatabase(adminUrl: string): Promise<string> {
  const name = `tocsin_test_template_${randomBytes(6).toString('hex')}`;
  await runAsAdmin(adminUrl, `create database ${quoteIdentifier(name)}`);
  const url = withDatabase(adminUrl, name);
  await migrate({ connectionString: url, log: () => {} });
  await migrateQueue({ connectionString: url });
  // Nobody may connect to a database while it is cloned, so nobody may connect at all.
  await runAsAdmin(adminUrl, `alter database ${quoteIdentifier(name)} with allow_connections false`);
  return name;
}

/** Clones a database; without `template`, makes an empty one. Returns its name. */
export async function createDatabase(adminUrl: string, template: string | undefined): Promise<string> {
  const name = `tocsin_test_${randomBytes(6).toString('hex')}`;
  const source = template === undefined ? '' : ` template ${quoteIdentifier(template)}`;
  await runAsAdmin(adminUrl, `create database ${quoteIdentifier(name)}${source}`);
  return name;
}

/** Removes a database and ends whatever connections it still has. */
export async function dropDatabase(adminUrl: string, name: string): Promise<void> {
  await runAsAdmin(adminUrl, `drop database if exists ${quoteIdentifier(name)} with (force)`);
}

async function runAsAdmin(adminUrl: string, statement: string): Promise<void> {
  const pool = createPool({
    connectionString: adminUrl,
    max: 1,
    applicationName: 'tocsin test set-up',
    onError: () => {},
  });
  try {
    await pool.query(statement);
  } finally {
    await pool.end();
  }
}
