import { createTestDatabase, startHalfOpenProxy } from '@tocsin/testing';
import { describe, expect, test, vi } from 'vitest';
import { databaseNow } from './database-clock.ts';
import { createPool } from './pool.ts';
import { databaseErrorKind } from './postgres-errors.ts';
import { inTransaction } from './transaction.ts';

const database = await createTestDatabase({ empty: true });

function poolWith(options: {
  readonly onError?: (error: Error) => void;
  readonly statementTimeoutMs?: number;
  readonly max?: number;
}) {
  return createPool({
    connectionString: database.connectionString,
    max: 2,
    applicationName: 'pool test',
    onError: () => {},
    ...options,
  });
}

/** Ends every other connection of the pool under test, as a restart of the server would. */
async function endConnections(): Promise<void> {
  await database.pool.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'pool test' and datname = current_database()`,
  );
}

describe('values', () => {
  test('come back in the form the product works with', async () => {
    const { rows } = await database.pool.query(
      `select $1::timestamptz as instant, 7::int8 as small, 9007199254740993 as large, 1.50::numeric as price,
         '{"a":[1]}'::jsonb as document, date '2026-01-31' as day, timestamp '2026-01-31 03:00' as wall_clock`,
      ['2026-01-31T03:00:00.123456+01:00'],
    );
    expect(rows).toEqual([
      {
        instant: '2026-01-31T02:00:00.123456Z',
        small: 7,
        large: '9007199254740993',
        price: '1.50',
        document: { a: [1] },
        day: '2026-01-31',
        wall_clock: '2026-01-31 03:00:00',
      },
    ]);
  });

  test('of time do not depend on the time zone of the session', async () => {
    await inTransaction(database.pool, 'zone', async (transaction) => {
      await transaction.query(`set local timezone = 'Asia/Kathmandu'`);
      const { rows } = await transaction.query(`select timestamptz '2026-01-31 03:00:00Z' as instant`);
      expect(rows).toEqual([{ instant: '2026-01-31T03:00:00.000000Z' }]);
    });
  });
});

test('the database clock moves on inside a transaction', async () => {
  await inTransaction(database.pool, 'clock', async (transaction) => {
    const first = await databaseNow(transaction);
    await transaction.query('select pg_sleep(0.002)');
    expect(Date.parse(await databaseNow(transaction))).toBeGreaterThan(Date.parse(first));
  });
});

test('the server ends a statement that runs too long', async () => {
  const pool = poolWith({ statementTimeoutMs: 20 });
  const error: unknown = await pool.query('select pg_sleep(10)').catch((caught: unknown) => caught);
  expect(databaseErrorKind(error)).toBe('statement_timeout');
  await pool.end();
});

test('every connection says whose it is and carries its time limits', async () => {
  const pool = poolWith({});
  const { rows } = await pool.query(
    `select current_setting('application_name') as name, current_setting('statement_timeout') as statement,
       current_setting('lock_timeout') as lock, current_setting('idle_in_transaction_session_timeout') as idle`,
  );
  expect(rows).toEqual([{ name: 'pool test', statement: '30s', lock: '10s', idle: '15s' }]);
  await pool.end();
});

describe('a connection that breaks', () => {
  test('while idle is reported and replaced', async () => {
    const onError = vi.fn<(error: Error) => void>();
    const pool = poolWith({ onError, max: 1 });
    await pool.query('select 1');
    await endConnections();
    await vi.waitUntil(() => onError.mock.calls.length > 0, { timeout: 5_000, interval: 5 });
    expect((await pool.query('select 2 as answer')).rows).toEqual([{ answer: 2 }]);
    await pool.end();
  });

  test('between two statements of a transaction fails the transaction, not the process', async () => {
    const pool = poolWith({ max: 1 });
    const broken = inTransaction(pool, 'broken', async (transaction) => {
      await transaction.query('select 1');
      await endConnections();
      await transaction.query('select 2');
    });
    const error: unknown = await broken.catch((caught: unknown) => caught);
    expect(databaseErrorKind(error)).toBe('connection_lost');
    expect((await pool.query('select 3 as answer')).rows).toEqual([{ answer: 3 }]);
    expect(pool.usage()).toEqual({ open: 1, idle: 1, waiting: 0 });
    await pool.end();
  });
});

test('a connection that is half open is given up when its answer is overdue, in a transaction and outside', async () => {
  const url = new URL(database.connectionString);
  const proxy = await startHalfOpenProxy(Number(url.port));
  url.port = String(proxy.port);
  const pool = createPool({
    connectionString: url.href,
    max: 2,
    applicationName: 'pool test',
    onError: () => {},
    statementTimeoutMs: 100,
  });
  await Promise.all([pool.query('select pg_sleep(0.05)'), pool.query('select pg_sleep(0.05)')]);
  expect(proxy.freeze()).toBe(2);
  const startedMs = performance.now();
  const [outside, inside] = await Promise.allSettled([
    pool.query('select 1'),
    inTransaction(pool, 'half-open', (transaction) => transaction.query('select 1')),
  ]);
  for (const one of [outside, inside])
    expect(databaseErrorKind(one.status === 'rejected' ? one.reason : null)).toBe('connection_timeout');
  // One overdue answer each: nobody waits for a rollback on the same line.
  expect(performance.now() - startedMs).toBeLessThan(10_000);
  expect((await pool.query('select 2 as answer')).rows).toEqual([{ answer: 2 }]);
  await pool.end();
  await proxy.stop();
});

test('may be ended twice', async () => {
  const pool = poolWith({});
  await pool.query('select 1');
  await Promise.all([pool.end(), pool.end()]);
  expect(pool.usage().open).toBe(0);
});
