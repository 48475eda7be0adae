import { randomUUID } from 'node:crypto';
import { inTransaction } from '@tocsin/runtime';
import { createTestDatabase } from '@tocsin/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { missingPrivileges } from './missing-privileges.ts';

const database = await createTestDatabase();
// Roles belong to the whole server.
const role = `tocsin_test_${randomUUID().replaceAll('-', '')}`;

beforeAll(() => database.pool.query(`create role ${role}; grant usage on schema tocsin, pgboss to ${role}`));
afterAll(() => database.pool.query(`drop owned by ${role}; drop role ${role}`));

const missing = (): Promise<readonly string[]> =>
  inTransaction(database.pool, 'test', async (tx) => {
    await tx.query(`set local role ${role}`);
    return (await missingPrivileges(tx)).map(({ privilege, object }) => `${privilege} on ${object}`);
  });

test('names each privilege that is missing, that of deleting what is past its retention included', async () => {
  await database.pool.query(
    `grant select, insert, update on all tables in schema tocsin to ${role};
     grant select, insert, update, delete on all tables in schema pgboss to ${role}`,
  );
  expect(await missing()).toEqual([
    'delete on tocsin.canary_jobs',
    'delete on tocsin.deliveries',
    'delete on tocsin.delivery_attempts',
    'delete on tocsin.held_failures',
    'delete on tocsin.outcomes',
    'delete on tocsin.provider_events',
    'delete on tocsin.recent_successes',
    'delete on tocsin.repairs',
    'delete on tocsin.silences',
  ]);
  await database.pool.query(`grant delete on all tables in schema tocsin to ${role}`);
  expect(await missing()).toEqual([]);
});
