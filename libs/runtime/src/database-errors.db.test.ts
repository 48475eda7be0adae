import { createTestDatabase } from '@tocsin/testing';
import { afterAll, describe, expect, test } from 'vitest';
import { describeDatabaseError } from './describe-database-error.ts';
import { createPool } from './pool.ts';
import { databaseErrorKind } from './postgres-errors.ts';

const database = await createTestDatabase({ empty: true });

/** The address of the test database with some parts exchanged. */
function changed(change: (url: URL) => void): string {
  const url = new URL(database.connectionString);
  change(url);
  return url.href;
}

async function failureAt(connectionString: string): Promise<unknown> {
  const pool = createPool({ connectionString, max: 1, applicationName: 'test', onError: () => {} });
  try {
    return await pool.query('select 1').then(
      () => expect.unreachable(),
      (error: unknown) => error,
    );
  } finally {
    await pool.end();
  }
}

describe('connecting fails with a message that names the cure', () => {
  test('for a wrong password', async () => {
    const url = changed((parts) => (parts.password = 'mistaken'));
    const error = await failureAt(url);
    expect(databaseErrorKind(error)).toBe('invalid_password');
    expect(describeDatabaseError(error, url)).toContain('Correct user and password in DATABASE_URL');
    expect(describeDatabaseError(error, url)).not.toContain('mistaken');
  });

  test('for a database that does not exist', async () => {
    const url = changed((parts) => (parts.pathname = '/nowhere'));
    expect(describeDatabaseError(await failureAt(url), url)).toContain('There is no database "nowhere"');
  });

  test('for a port on which nothing listens', async () => {
    const url = changed((parts) => (parts.port = '1'));
    expect(describeDatabaseError(await failureAt(url), url)).toMatch(/No PostgreSQL answers at .*:1 .*ECONNREFUSED/);
  });

  test('for a host that does not exist', async () => {
    const url = changed((parts) => (parts.hostname = 'no-such-host.invalid'));
    expect(describeDatabaseError(await failureAt(url), url)).toContain('The host "no-such-host.invalid" is unknown');
  });

  test.each([
    ['an authority', 'sslrootcert', '/nowhere/ca.pem'],
    ['a client certificate', 'sslcert', 'nowhere/client.pem'],
    ['a key', 'sslkey', '/tmp'],
  ])('for a file of %s that cannot be read', async (_caption, option, file) => {
    const url = changed(
      (parts) => (parts.search = new URLSearchParams({ sslmode: 'verify-full', [option]: file }).toString()),
    );
    const error = await failureAt(url);
    expect(databaseErrorKind(error)).toBe('tls_file_unreadable');
    const text = describeDatabaseError(error, url, 'JOBS_DATABASE_URL');
    expect(text).toContain(`A file that JOBS_DATABASE_URL names for TLS cannot be read: ${option}=${file} (E`);
    expect(text).not.toContain('No PostgreSQL answers');
  });

  test('for a Unix socket that does not exist, which is ENOENT, too', async () => {
    const url = 'postgres:///jobs?host=/nowhere/sockets';
    expect(describeDatabaseError(await failureAt(url), url)).toMatch(
      /No PostgreSQL answers at \/nowhere\/sockets:5432 /,
    );
  });
});

describe('a role without privileges', () => {
  const role = `tocsin_reader_${process.pid}`;

  afterAll(async () => {
    await database.pool.query(`drop role if exists ${role}`);
  });

  test('is told which privilege is missing', async () => {
    await database.pool.query(`create role ${role} login password 'reader'`);
    await database.pool.query('create table public.secrets (id integer)');
    const url = changed((parts) => ((parts.username = role), (parts.password = 'reader')));
    const pool = createPool({ connectionString: url, max: 1, applicationName: 'test', onError: () => {} });
    try {
      const error: unknown = await pool.query('select from public.secrets').catch((caught: unknown) => caught);
      expect(databaseErrorKind(error)).toBe('insufficient_privilege');
      expect(describeDatabaseError(error, url)).toContain(`The user "${role}" may not do this`);
    } finally {
      await pool.end();
    }
  });
});
