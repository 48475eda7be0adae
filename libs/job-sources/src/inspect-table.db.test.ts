import { createPool } from '@tocsin/runtime';
import { createTestDatabase } from '@tocsin/testing';
import { expect, it } from 'vitest';
import { inspectTable } from './inspect-table.ts';
import { researchJobsMapping } from './adapters/research-jobs-mapping.ts';
import { createJobTable, sourceOf } from './watched-table.fixture.ts';

const { pool, connectionString } = await createTestDatabase();
const inspect = (table: string) => inspectTable(pool, researchJobsMapping, { name: 'jobs', table });

it('finds our own table fit, with every index', async () => {
  const { source, problems, warnings, missingIndexes } = await inspect('public.research_jobs');
  expect({ problems, warnings, missingIndexes }).toEqual({ problems: [], warnings: [], missingIndexes: [] });
  expect(source).toMatchObject({
    name: 'jobs',
    table: '"public"."research_jobs"',
    readsRuns: true,
    seesAllWriters: true,
  });
});

it('names a table that does not exist, and where one of that name is', async () => {
  expect((await inspect('nowhere.research_jobs')).problems.join()).toMatch(
    /no table nowhere\.research_jobs.*did you mean public\.research_jobs/,
  );
  expect((await inspect('public.no_jobs')).problems.join()).toMatch(
    /no table public\.no_jobs.*correct jobs\[\]\.table/,
  );
});

it('reports a name that is no table name as a problem', async () => {
  expect((await inspect('a.b.c')).problems.join()).toContain('write schema.table');
});

it('names each required column that is missing or of an unusable type', async () => {
  const table = await createJobTable(pool, { status: 'boolean', updated_at: null, attempts: 'text' });
  const { problems, source } = await inspect(table);
  expect(source).toBeNull();
  expect(problems).toHaveLength(3);
  expect(problems.join('\n')).toMatch(/status of "app"\."jobs_\d+" is boolean.*text or an enum/);
  expect(problems.join('\n')).toMatch(/attempts .* is text.*integer or bigint/);
  expect(problems.join('\n')).toContain('has no column updated_at');
});

it('does without optional columns, and says what is lost', async () => {
  const table = await createJobTable(pool, {
    payload: null,
    error: null,
    started_at: null,
    created_at: null,
    target_id: null,
  });
  const { source, warnings } = await inspect(table);
  expect(source?.readsRuns).toBe(false);
  expect(warnings.join('\n')).toMatch(/no column payload[\s\S]*no column error/);
});

it('reads a table whose name needs quotes, also when the quotes were forgotten', async () => {
  await pool.query('create schema "My Jobs"');
  await pool.query('create table "My Jobs"."Runs.2026" (like public.research_jobs including all)');
  await pool.query('create table public."BackgroundJobs" (like public.research_jobs including all)');
  expect((await sourceOf(pool, '"My Jobs"."Runs.2026"')).table).toBe('"My Jobs"."Runs.2026"');
  expect((await sourceOf(pool, 'public.BackgroundJobs')).table).toBe('"public"."BackgroundJobs"');
  expect((await sourceOf(pool, 'PUBLIC.Research_Jobs')).table).toBe('"public"."research_jobs"');
});

it('gives statements that create exactly the missing indexes', async () => {
  const table = await createJobTable(pool);
  const { missingIndexes } = await inspect(table);
  expect(missingIndexes.map(({ purpose }) => purpose)).toEqual(
    researchJobsMapping.indexes.map(({ purpose }) => purpose),
  );
  for (const { statement } of missingIndexes) await pool.query(statement);
  expect((await inspect(table)).missingIndexes).toEqual([]);
});

it('is content with an index on the time of change over all rows, but not with one over other states', async () => {
  const failures = async (table: string) =>
    (await inspect(table)).missingIndexes.filter(({ purpose }) => purpose === 'finding new failures');
  const table = await createJobTable(pool);
  await pool.query(`create index on ${table} (updated_at) where status = 'pending'`);
  expect(await failures(table)).toHaveLength(1);
  await pool.query(`create index on ${table} (updated_at)`);
  expect(await failures(table)).toHaveLength(0);
});

it('asks for an index over the labels that the enum has', async () => {
  await pool.query("create type app.state_without_dead as enum ('pending', 'failed', 'succeeded')");
  const table = await createJobTable(pool, { status: "app.state_without_dead default 'failed'" });
  const { missingIndexes } = await inspect(table);
  for (const { statement } of missingIndexes) await pool.query(statement);
  expect((await inspect(table)).missingIndexes).toEqual([]);
});

it('tells a user without privileges which grant is missing, step by step until it is content', async () => {
  const table = await createJobTable(pool);
  await pool.query("create role watcher login password 'watcher-pw'");
  const url = new URL(connectionString);
  url.username = 'watcher';
  url.password = 'watcher-pw';
  const watcher = createPool({ connectionString: url.href, max: 1, applicationName: 'test', onError: () => {} });
  const problems = async () => (await inspectTable(watcher, researchJobsMapping, { name: 'jobs', table })).problems;
  const grantIn = (text: string) => /run: (grant [^;]+;)/.exec(text)?.[1] ?? '';
  try {
    const [schema] = await problems();
    expect(schema).toContain('grant usage on schema "app"');
    await pool.query(grantIn(schema ?? ''));
    const [select] = await problems();
    expect(select).toContain('grant select on "app"');
    await pool.query(grantIn(select ?? ''));
    expect(await problems()).toEqual([]);

    const { source, warnings } = await inspectTable(watcher, researchJobsMapping, { name: 'jobs', table });
    expect(source?.seesAllWriters).toBe(false);
    const warning = warnings.find((text) => text.includes('pg_read_all_stats'));
    await pool.query(grantIn(warning ?? ''));
    expect((await inspectTable(watcher, researchJobsMapping, { name: 'jobs', table })).source?.seesAllWriters).toBe(
      true,
    );

    await pool.query(`alter table ${table} enable row level security`);
    const secured = await inspectTable(watcher, researchJobsMapping, { name: 'jobs', table });
    expect(secured.warnings.join()).toContain('Row-level security');
  } finally {
    await watcher.end();
    await pool.query('drop owned by watcher');
    await pool.query('drop role watcher');
  }
});

it('refuses a read replica and says why', async () => {
  const replica: typeof pool = {
    ...pool,
    query: (text, values) => pool.query(text.replace('pg_is_in_recovery()', 'true'), values),
  };
  const { source, problems } = await inspectTable(replica, researchJobsMapping, {
    name: 'jobs',
    table: 'public.research_jobs',
  });
  expect(source).toBeNull();
  expect(problems.join()).toMatch(/read replica.*primary/);
});
