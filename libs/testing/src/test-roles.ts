import { randomBytes } from 'node:crypto';
import { afterAll } from 'vitest';
import { quoteIdentifier } from './database-names.ts';
import { runRoleFile } from './run-role-file.ts';
import type { TestDatabase } from './test-database.ts';

/** A role of its own for one test file, in one of its databases. */
export type TestRole = {
  readonly name: string;
  /** The database's address with this role as its user. */
  readonly connectionString: string;
  /** Runs a file of docs/roles for this role; `variables` are those besides `role` and `database`. */
  readonly grant: (file: string, variables?: Readonly<Record<string, string>>) => Promise<void>;
};

/**
 * Makes a role by docs/roles/create-role.sql, which may log in and nothing else. It is dropped when the file is done,
 * together with what it was granted in this database: call it after `createTestDatabase`, whose own end comes last.
 */
export async function createTestRole({ pool, connectionString }: TestDatabase, purpose: string): Promise<TestRole> {
  // Roles belong to the whole server, where other test files make theirs at the same time.
  const name = `tocsin_test_${purpose}_${randomBytes(6).toString('hex')}`;
  const password = randomBytes(12).toString('base64url');
  await runRoleFile(pool, 'create-role.sql', { role: name, password });
  const url = new URL(connectionString);
  const database = decodeURIComponent(url.pathname.slice(1));
  Object.assign(url, { username: name, password });
  afterAll(async () => {
    await pool.query(`drop owned by ${quoteIdentifier(name)}; drop role ${quoteIdentifier(name)}`);
  });
  return {
    name,
    connectionString: url.href,
    grant: (file, variables = {}) => runRoleFile(pool, file, { role: name, database, ...variables }),
  };
}
