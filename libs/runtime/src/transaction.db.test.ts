import { createTestDatabase } from '@tocsin/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Transaction } from './pool.ts';
import { isTransientDatabaseError } from './postgres-errors.ts';
import { inTransaction, transactionAttemptsMax, withRetries } from './transaction.ts';

const { pool } = await createTestDatabase({ empty: true });
await pool.query('create table public.counters (name text primary key, value integer not null)');

beforeEach(async () => {
  await pool.query('truncate public.counters');
});

async function counters(): Promise<unknown> {
  return (await pool.query('select name, value from public.counters order by name')).rows;
}

const insert = `insert into public.counters values ($1, $2)`;

describe('inTransaction', () => {
  test('commits when the work is done and returns its result', async () => {
    const result = await inTransaction(pool, 'count', async (transaction) => {
      await transaction.query(insert, ['a', 1]);
      return 'done';
    });
    expect(result).toBe('done');
    expect(await counters()).toEqual([{ name: 'a', value: 1 }]);
  });

  test('rolls everything back when the work throws, and throws the same error', async () => {
    const failure = new Error('half way');
    const attempt = inTransaction(pool, 'count', async (transaction) => {
      await transaction.query(insert, ['a', 1]);
      throw failure;
    });
    await expect(attempt).rejects.toBe(failure);
    expect(await counters()).toEqual([]);
    expect(pool.usage().idle).toBe(pool.usage().open);
  });

  test('does not report success when the work hid a failed statement', async () => {
    const attempt = inTransaction(pool, 'count', async (transaction) => {
      await transaction.query(insert, ['a', 1]);
      await transaction.query('select from nowhere').catch(() => {});
    });
    await expect(attempt).rejects.toThrow('Transaction count was rolled back at commit');
    expect(await counters()).toEqual([]);
  });

  test('refuses statements after its end', async () => {
    let kept: Transaction | undefined;
    await inTransaction(pool, 'count', async (transaction) => {
      kept = transaction;
    });
    expect(() => kept?.query('select 1')).toThrow('Transaction count was used after its end');
  });

  test('runs at the isolation level asked for', async () => {
    const level = await inTransaction(
      pool,
      'count',
      async (transaction) => (await transaction.query(`select current_setting('transaction_isolation') as level`)).rows,
      { isolation: 'repeatable read' },
    );
    expect(level).toEqual([{ level: 'repeatable read' }]);
  });
});

describe('withRetries', () => {
  test('lets two transactions that cannot be put in an order both succeed in the end', async () => {
    await pool.query(insert, ['a', 0]);
    const bothHaveRead = Promise.withResolvers<void>();
    let readers = 0;
    let tries = 0;
    const increment = (): Promise<void> =>
      withRetries(() =>
        inTransaction(
          pool,
          'count',
          async (transaction) => {
            tries += 1;
            const { rows } = await transaction.query<{ value: number }>(
              `select value from public.counters where name = 'a'`,
            );
            readers += 1;
            if (readers === 2) bothHaveRead.resolve();
            await bothHaveRead.promise;
            await transaction.query(`update public.counters set value = $1 where name = 'a'`, [
              (rows[0]?.value ?? 0) + 1,
            ]);
          },
          { isolation: 'serializable' },
        ),
      );
    await Promise.all([increment(), increment()]);
    expect(await counters()).toEqual([{ name: 'a', value: 2 }]);
    expect(tries).toBe(3);
  });

  test('gives up after its bound and throws the last error', async () => {
    let tries = 0;
    const attempt = withRetries(async () => {
      tries += 1;
      await pool.query(`do $$ begin raise exception 'try %', ${tries} using errcode = 'serialization_failure'; end $$`);
    });
    await expect(attempt).rejects.toThrow(`try ${transactionAttemptsMax}`);
  });

  test('does not repeat what will fail again', async () => {
    let tries = 0;
    const attempt = withRetries(async () => {
      tries += 1;
      await pool.query('select from nowhere');
    });
    await expect(attempt).rejects.toSatisfy((error) => !isTransientDatabaseError(error));
    expect(tries).toBe(1);
  });
});
