import { createTestDatabase } from '@tocsin/testing';
import { beforeAll, expect, it } from 'vitest';
import { countStatuses } from './count-statuses.ts';
import { sourceOf } from './watched-table.fixture.ts';

const { pool } = await createTestDatabase();
const source = await sourceOf(pool, 'public.research_jobs');
const { statements } = source;

/** 200,000 jobs, one in a hundred failed for good, a tenth in chain runs: enough for the planner to care. */
beforeAll(async () => {
  await pool.query(
    `insert into public.research_jobs (source, job_type, target_id, status, attempts, payload, finished_at, created_at, updated_at)
     select
       'source ' || n % 20, 'type ' || n % 7, 'target ' || n % 1000,
       case when n % 100 = 0 then 'failed' when n % 500 = 1 then 'dead' when n % 10 = 3 then 'pending' else 'succeeded' end,
       3,
       case when n % 10 = 0 then jsonb_build_object('chain_started_at', to_char(at, 'YYYY-MM-DD"T"HH24')) else '{}' end,
       at, at, at
     from (select n, now() - n * interval '1 minute' as at from generate_series(1, 200000) as n) as numbered`,
  );
  // As in many tables of others, where nobody promised that it has a value.
  await pool.query('alter table public.research_jobs alter updated_at drop not null');
  await pool.query('vacuum analyze public.research_jobs');
});

const explain = async (text: string, values: readonly unknown[]): Promise<string> => {
  const { rows } = await pool.query<{ 'QUERY PLAN': string }>(
    `explain (analyze, buffers off, timing off) ${text}`,
    values,
  );
  return rows.map((row) => row['QUERY PLAN']).join('\n');
};

const recent = new Date(Date.now() - 60_000).toISOString();
const longAgo = '2001-01-01T00:00:00Z';
const ids = async (): Promise<string[]> =>
  (await pool.query<{ id: string }>("select id from public.research_jobs where status = 'failed' limit 100")).rows.map(
    ({ id }) => id,
  );
const arrays = (n: number) => [
  Array.from({ length: n }, (_, i) => i),
  Array(n).fill('source 1'),
  Array(n).fill('type 1'),
  Array(n).fill(longAgo),
];

it.each([
  ['the scan from the cursor', 'failuresFrom', async () => [recent, 500]],
  ['the scan from long ago', 'failuresFrom', async () => [longAgo, 500]],
  ['the scan of the next page', 'failuresAfter', async () => ['2026-01-01 00:00:00+00', (await ids())[0], 500]],
  ['the scan without texts', 'bareFailuresFrom', async () => [longAgo, 500]],
  ['the skim from the cursor', 'skimFrom', async () => [longAgo, 500]],
  ['the skim of the next page', 'skimAfter', async () => ['2026-01-01 00:00:00+00', (await ids())[0], 500]],
  ['the read by id', 'failuresById', async () => [await ids()]],
  ['the comparison', 'identitiesFrom', async () => [86_400_000, 500]],
  [
    'the next page of the comparison',
    'identitiesAfter',
    async () => [86_400_000, 500, '2026-01-01 00:00:00+00', (await ids())[0]],
  ],
  ['the comparison of undated rows', 'undatedFrom', async () => [86_400_000, 500]],
  [
    'the look for successes',
    'successes',
    async () => [...arrays(100), Array(100).fill('target 7'), ...arrays(20), ...arrays(2), 5],
  ],
  ['the jobs of a run', 'runJobs', async () => [['source 0'], ['2026-01-01T03'], 100]],
  ['the last green run', 'greenRuns', async () => [['source 0'], ['9999'], ['type 0'], 100, 100]],
] as const)('%s never reads the whole table', async (_caption, name, values) => {
  const plan = await explain(statements[name] ?? '', await values());
  expect(plan).not.toMatch(/Seq Scan on research_jobs/);
  expect(plan).toMatch(/Index (Only )?Scan|Bitmap Index Scan/);
});

it('the scan would read the whole table without its index, so the tests above can fail', async () => {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query('drop index public.research_jobs_failures');
    const { rows } = await client.query(`explain ${statements.failuresFrom}`, [recent, 500]);
    expect(JSON.stringify(rows)).toContain('Seq Scan on research_jobs');
  } finally {
    await client.query('rollback');
    client.release();
  }
});

it('the scan reads page by page in a table that has no statistics yet', async () => {
  await pool.query(
    'create table public.fresh_jobs (like public.research_jobs including all) with (autovacuum_enabled = off)',
  );
  await pool.query(
    `insert into public.fresh_jobs (source, job_type, target_id, status, attempts, finished_at)
     select 'apple', 'refresh', n::text, 'failed', 3, now() from generate_series(1, 50000) as n`,
  );
  const fresh = await sourceOf(pool, 'public.fresh_jobs');
  const { rows } = await pool.query<{ changed: string; id: string }>(
    'select updated_at::text as changed, id::text as id from public.fresh_jobs order by updated_at, id offset 20000 limit 1',
  );
  for (const plan of [
    await explain(fresh.statements.failuresFrom, [longAgo, 500]),
    await explain(fresh.statements.failuresAfter, [rows[0]?.changed, rows[0]?.id, 500]),
    await explain(fresh.statements.skimFrom, [longAgo, 5_000]),
    await explain(fresh.statements.skimAfter, [rows[0]?.changed, rows[0]?.id, 5_000]),
    await explain(fresh.statements.identitiesAfter, [86_400_000, 5_000, rows[0]?.changed, rows[0]?.id]),
  ])
    expect(plan).toMatch(/Index Scan using fresh_jobs_\w+ on fresh_jobs job .* rows=(500|5000)(\.00)? loops=1/);
});

it('statuses of a large table are estimated from a sample', async () => {
  const { statuses, sampled } = await countStatuses(pool, source);
  expect(sampled).toBe(true);
  const failed = statuses.find(({ status }) => status === 'failed')?.rows ?? 0;
  expect(failed).toBeGreaterThan(1_000);
  expect(failed).toBeLessThan(4_000);
});
