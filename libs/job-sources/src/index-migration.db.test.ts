import { readFile } from 'node:fs/promises';
import { createTestDatabase } from '@tocsin/testing';
import { beforeEach, expect, it } from 'vitest';

const { pool } = await createTestDatabase();
const migration = await readFile(new URL('../../../migrations/0006_index_research_jobs.sql', import.meta.url), 'utf8');
const names = ['ends', 'partials', 'retries', 'running'].map((suffix) => `research_jobs_${suffix}`);

const created = async (): Promise<readonly string[]> =>
  (
    await pool.query<{ name: string }>(
      `select relname as name from pg_class where relname = any($1) and relkind = 'i' order by relname`,
      [names],
    )
  ).rows.map(({ name }) => name);

/** What the migration creates when it runs after this change, which is then undone. */
const createdAfter = async (change: string): Promise<readonly string[]> => {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query(change);
    await client.query(migration);
    const { rows } = await client.query('select relname from pg_class where relname = any($1) order by 1', [names]);
    return rows.map(({ relname }) => String(relname));
  } finally {
    await client.query('rollback');
    client.release();
  }
};

beforeEach(() => pool.query(names.map((name) => `drop index if exists public.${name}`).join('; ')));

it('indexes the table that the product created, and does nothing the second time', async () => {
  await pool.query(migration);
  expect(await created()).toEqual(names);
  await pool.query(migration);
  expect(await created()).toEqual(names);
});

it.each([
  ['of another owner', 'create role stranger; alter table public.research_jobs owner to stranger'],
  ['that was there before the product', 'drop index public.research_jobs_failures'],
  ['with a column of another type', 'alter table public.research_jobs alter result type json'],
  ['without a column', 'alter table public.research_jobs drop column run_after'],
  [
    'of more than a million rows',
    "update pg_class set reltuples = 1000001 where oid = 'public.research_jobs'::regclass",
  ],
  ['that is gone', 'drop table public.research_jobs'],
])('leaves a table %s alone', async (_caption, change) => {
  expect(await createdAfter(change)).toEqual([]);
});

it('does not wait for a busy table, and keeps the timeout of the other migrations', async () => {
  const worker = await pool.connect();
  const migrator = await pool.connect();
  try {
    await worker.query('begin');
    await worker.query("insert into public.research_jobs (source, job_type) values ('apple', 'x')");
    await migrator.query('begin');
    await migrator.query("set local lock_timeout = '59s'");
    await migrator.query(migration);
    expect((await migrator.query('show lock_timeout')).rows).toEqual([{ lock_timeout: '59s' }]);
    await migrator.query('commit');
  } finally {
    await worker.query('rollback');
    worker.release();
    migrator.release();
  }
  expect(await created()).toEqual([]);
});
