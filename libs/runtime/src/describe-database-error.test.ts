import { describe, expect, test } from 'vitest';
import { describeDatabaseError, toDatabaseError } from './describe-database-error.ts';

const url = 'postgres://anna:s3cret-word@db.example:6432/jobs';
const withCode = (code: string, message: string): Error => Object.assign(new Error(message), { code });

const kinds = [
  ['a refused connection', 'ECONNREFUSED', /No PostgreSQL answers at db\.example:6432 .*Start the server/],
  ['an unknown host', 'ENOTFOUND', /host "db\.example" is unknown.*Correct the host/],
  ['a wrong password', '28P01', /refuses the user "anna".*Correct user and password in DATABASE_URL/],
  ['a missing database', '3D000', /no database "jobs" at db\.example:6432.*createdb jobs/],
  ['a missing privilege', '42501', /"anna" may not do this.*Grant the privilege/],
  ['a server that is starting', '57P03', /starting or shutting down.*Try again/],
  ['a full server', '53300', /no connection left.*max_connections/],
  ['a missing table', '42P01', /npx tocsin migrate/],
  ['a replica', '25006', /only allows reading.*primary/],
  ['an untrusted certificate', 'SELF_SIGNED_CERT_IN_CHAIN', /not trusted.*sslrootcert/],
  ['something unknown', 'XX000', /db\.example:6432 .*answered: it failed/],
] as const;

describe('describeDatabaseError', () => {
  test.each(kinds)('names the place and the cure for %s', (_caption, code, expected) => {
    expect(describeDatabaseError(withCode(code, 'it failed'), url)).toMatch(expected);
  });

  test.each(kinds)('never shows the password for %s', (_caption, code) => {
    expect(describeDatabaseError(withCode(code, 'it failed'), url)).not.toContain('s3cret-word');
  });

  test('names the variable the address came from', () => {
    expect(describeDatabaseError(withCode('28P01', 'it failed'), url, 'JOBS_DATABASE_URL')).toContain(
      'in JOBS_DATABASE_URL',
    );
  });

  test.each([
    'postgres://anna:s3cret-word@db example/jobs',
    'mysql://anna:s3cret-word@db/jobs',
    'postgres://anna:s3cret-word%@db/jobs',
    '',
  ])('explains the form of an address instead of repeating the wrong one: %j', (wrong) => {
    const text = describeDatabaseError(new Error('Invalid URL'), wrong);
    expect(text).toContain(
      'DATABASE_URL is not a Postgres address. Write it as postgres://USER:PASSWORD@HOST:PORT/DATABASE',
    );
    expect(text).not.toContain('s3cret-word');
  });
});

describe('toDatabaseError', () => {
  test('carries the kind as its code and the original as its cause', () => {
    const original = withCode('3D000', 'database "jobs" does not exist');
    expect(toDatabaseError(original, url)).toMatchObject({ code: 'DATABASE_UNDEFINED_DATABASE', cause: original });
  });

  test('drops a cause that holds the whole address', () => {
    const invalid = Object.assign(new TypeError('Invalid URL'), { input: 'postgres://a:s3cret-word@b c' });
    const error = toDatabaseError(invalid, 'postgres://a:s3cret-word@b c');
    expect(error.code).toBe('DATABASE_URL_INVALID');
    expect(error.cause).toBeUndefined();
  });
});
