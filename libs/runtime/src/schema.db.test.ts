import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createTestDatabase, dumpSchema } from '@tocsin/testing';
import { expect, test } from 'vitest';
import { migrationsFolder } from './migrations-folder.ts';
import { databaseErrorKind } from './postgres-errors.ts';

const { pool } = await createTestDatabase();

test('schema.sql is what the migrations produce (else run npm run gen)', async () => {
  expect(await dumpSchema(pool)).toBe(await readFile(join(migrationsFolder, 'schema.sql'), 'utf8'));
});

test.each(['update tocsin.events set type = type', 'delete from tocsin.events', 'truncate tocsin.events'])(
  'the database refuses to %s',
  async (statement) => {
    await pool.query(
      `insert into tocsin.events (stream_id, version, event_id, type, schema_version, data, occurred_at)
       values (gen_random_uuid()::text, 1, gen_random_uuid(), 'FailureDetected', 1, '{}', now())`,
    );
    const before = await pool.query('select * from tocsin.events');
    const error: unknown = await pool.query(statement).catch((caught: unknown) => caught);
    expect(databaseErrorKind(error)).toBe('restrict_violation');
    expect((await pool.query('select * from tocsin.events')).rows).toEqual(before.rows);
  },
);
