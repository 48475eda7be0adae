import { describe, expect, test } from 'vitest';
import {
  databaseErrorKind,
  isConnectionError,
  isTransientDatabaseError,
  isUniqueViolation,
} from './postgres-errors.ts';

const withCode = (code: string, extra: object = {}, message = 'refused'): Error =>
  Object.assign(new Error(message), { code, ...extra });

describe('databaseErrorKind', () => {
  test.each([
    ['23505', 'unique_violation'],
    ['42P01', 'undefined_table'],
    ['42703', 'undefined_column'],
    ['28P01', 'invalid_password'],
    ['3D000', 'undefined_database'],
    ['42501', 'insufficient_privilege'],
    ['40001', 'serialization_failure'],
    ['57P01', 'connection_lost'],
    ['57P03', 'cannot_connect_now'],
    ['ECONNREFUSED', 'connection_refused'],
    ['ENOTFOUND', 'host_unknown'],
  ])('reads %s as %s', (code, kind) => {
    expect(databaseErrorKind(withCode(code))).toBe(kind);
  });

  test('finds the database error below the errors that wrap it', () => {
    const wrapped = new Error('outer', { cause: new Error('middle', { cause: withCode('40P01') }) });
    expect(databaseErrorKind(wrapped)).toBe('deadlock');
  });

  test('looks into the errors of all addresses of a host', () => {
    expect(databaseErrorKind(new AggregateError([withCode('ECONNREFUSED'), withCode('ECONNREFUSED')]))).toBe(
      'connection_refused',
    );
  });

  test('knows the errors of the driver that carry no code', () => {
    expect(databaseErrorKind(new Error('Connection terminated unexpectedly'))).toBe('connection_lost');
  });

  test('does not read meaning into the text of an error of the server', () => {
    expect(databaseErrorKind(withCode('P0001', {}, 'deadlock detected'))).toBeUndefined();
    expect(databaseErrorKind('deadlock detected')).toBeUndefined();
  });

  test('ends on causes that go round in a circle', () => {
    const first = new Error('first');
    first.cause = new Error('second', { cause: first });
    expect(databaseErrorKind(first)).toBeUndefined();
  });
});

describe('isUniqueViolation', () => {
  const violation = withCode('23505', { constraint: 'events_stream_version' });

  test('holds for the constraint that was hit', () => {
    expect(isUniqueViolation(violation, 'events_stream_version')).toBe(true);
    expect(isUniqueViolation(violation)).toBe(true);
  });

  test('does not hold for another constraint or another kind of violation', () => {
    expect(isUniqueViolation(violation, 'alerts_open_key')).toBe(false);
    expect(isUniqueViolation(withCode('23503', { constraint: 'events_stream_version' }), 'events_stream_version')).toBe(
      false,
    );
  });
});

test('a conflict is worth another try but is no trouble with the connection', () => {
  expect(isTransientDatabaseError(withCode('40001'))).toBe(true);
  expect(isConnectionError(withCode('40001'))).toBe(false);
});

test('a refused connection is worth another try, a wrong password is not', () => {
  expect(isTransientDatabaseError(withCode('ECONNREFUSED'))).toBe(true);
  expect(isTransientDatabaseError(withCode('28P01'))).toBe(false);
});
