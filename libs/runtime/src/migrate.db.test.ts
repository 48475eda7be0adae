import { createTestDatabase } from '@tocsin/testing';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { migrate } from './migrate.ts';
import { assertSchemaUnderstood, migrationStatus } from './migration-status.ts';
import { knownMigrations } from './migrations-folder.ts';

const { pool, connectionString } = await createTestDatabase({ empty: true });
const all = await knownMigrations();

const run = (url = connectionString) => migrate({ connectionString: url, log: () => {} });

beforeEach(async () => {
  await pool.query('drop schema if exists tocsin cascade');
  await pool.query('drop table if exists public.research_jobs');
});

describe('migrate', () => {
  test('runs every migration in order, once, and reports each', async () => {
    const lines: string[] = [];
    const first = await migrate({ connectionString, log: (line) => lines.push(line) });
    expect(first.applied).toEqual(all);
    expect(lines).toEqual(all.map((name) => `running migration ${name}`));
    expect((await run()).applied).toEqual([]);
  });

  test('lets one of five runners at the same moment do the work', async () => {
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => run()));
    expect(outcomes.map((outcome) => outcome.applied.length).toSorted((a, b) => a - b)).toEqual([
      0,
      0,
      0,
      0,
      all.length,
    ]);
    expect(await migrationStatus({ queryable: pool })).toMatchObject({ state: 'current' });
  });

  test('leaves an existing public.research_jobs as it is', async () => {
    await pool.query('create table public.research_jobs (id integer primary key, note text)');
    await pool.query(`insert into public.research_jobs values (1, 'mine')`);
    await run();
    expect((await pool.query('select * from public.research_jobs')).rows).toEqual([{ id: 1, note: 'mine' }]);
    const { rows } = await pool.query(`select count(*) as indexes from pg_indexes where tablename = 'research_jobs'`);
    expect(rows).toEqual([{ indexes: 1 }]);
  });

  test('changes nothing when one migration fails, and names it', async () => {
    await pool.query('create schema tocsin create table tocsin.deliveries (id integer)');
    await expect(run()).rejects.toMatchObject({
      code: 'MIGRATION_FAILED',
      message: expect.stringMatching(
        /^The migration 0003_create_ledgers failed and nothing was changed: .*"deliveries" already exists/,
      ) as string,
    });
    const { rows } = await pool.query(`select to_regclass('tocsin.events') as events`);
    expect(rows).toEqual([{ events: null }]);
  });

  test('refuses a database that a newer version has migrated', async () => {
    await run();
    await pool.query(`insert into tocsin.migrations (name, run_on) values ('9999_from_the_future', now())`);
    await expect(run()).rejects.toMatchObject({ code: 'SCHEMA_AHEAD' });
  });

  test('says which database cannot be reached', async () => {
    const url = new URL(connectionString);
    url.port = '1';
    await expect(run(url.href)).rejects.toMatchObject({ code: 'DATABASE_CONNECTION_REFUSED' });
  });
});

describe('a role that may not make schemas', () => {
  const role = `tocsin_limited_${process.pid}`;
  const asRole = new URL(connectionString);
  asRole.username = role;
  asRole.password = 'limited';

  afterAll(async () => {
    await pool.query(`drop owned by ${role}`);
    await pool.query(`drop role ${role}`);
  });

  test('is told so, and what an administrator can do', async () => {
    await pool.query(`create role ${role} login password 'limited'`);
    await expect(run(asRole.href)).rejects.toMatchObject({
      code: 'MIGRATION_FORBIDDEN',
      message: expect.stringContaining('create schema tocsin authorization USER') as string,
    });
  });

  test('migrates a schema that an administrator made for it', async () => {
    await pool.query(`create schema tocsin authorization ${role}`);
    await pool.query('create table public.research_jobs (id integer)');
    expect((await run(asRole.href)).applied).toEqual(all);
  });
});

describe('migrationStatus', () => {
  test('calls a database without the schema missing', async () => {
    expect(await migrationStatus({ queryable: pool })).toEqual({ state: 'missing', pending: all, unknown: [] });
    await expect(assertSchemaUnderstood(pool)).rejects.toMatchObject({ code: 'SCHEMA_MISSING' });
  });

  test('accepts a migrated database', async () => {
    await run();
    expect(await migrationStatus({ queryable: pool })).toEqual({ state: 'current', pending: [], unknown: [] });
    await expect(assertSchemaUnderstood(pool)).resolves.toBeUndefined();
  });

  test('lists what is pending behind this version', async () => {
    await run();
    await pool.query('delete from tocsin.migrations where name = $1', [all.at(-1)]);
    expect(await migrationStatus({ queryable: pool })).toEqual({
      state: 'behind',
      pending: all.slice(-1),
      unknown: [],
    });
    await expect(assertSchemaUnderstood(pool)).rejects.toMatchObject({
      code: 'SCHEMA_BEHIND',
      message: expect.stringContaining('Run: npx tocsin migrate') as string,
    });
  });

  test('lists what a newer version has run', async () => {
    await run();
    await pool.query(`insert into tocsin.migrations (name, run_on) values ('9999_from_the_future', now())`);
    expect(await migrationStatus({ queryable: pool })).toEqual({
      state: 'ahead',
      pending: [],
      unknown: ['9999_from_the_future'],
    });
    await expect(assertSchemaUnderstood(pool)).rejects.toMatchObject({
      code: 'SCHEMA_AHEAD',
      message: expect.stringContaining('Upgrade Tocsin') as string,
    });
  });
});
