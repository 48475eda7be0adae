import { createTestDatabase } from '@tocsin/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { sourceOf } from './watched-table.fixture.ts';

const { pool } = await createTestDatabase();
const source = await sourceOf(pool, 'public.research_jobs');
const { statements } = source;
const { snapshots } = statements;

/** 300,000 jobs; few run, wait, or wait for a retry; one in fifty counts parts that failed. */
beforeAll(async () => {
  await pool.query(
    `insert into public.research_jobs
       (source, job_type, target_id, status, attempts, payload, result, run_after, started_at, heartbeat_at, finished_at, created_at, updated_at)
     select
       'source ' || n % 20, 'type ' || n % 7, 'target ' || n % 1000,
       case
         when n % 1000 = 1 then 'running' when n % 1000 = 2 then 'pending' when n % 100 = 0 then 'failed'
         when n % 500 = 3 then 'dead' else 'succeeded'
       end,
       case when n % 300 = 0 then 1 else 3 end,
       case when n % 10 < 3 then jsonb_build_object('chain_started_at', to_char(at, 'YYYY-MM-DD"T"HH24:00:00"Z"')) else '{}' end,
       jsonb_build_object('failed', case when n % 50 = 4 then 7 else 0 end, 'total', 1000),
       at, at, case when n % 1000 = 1 then at end, case when n % 1000 not in (1, 2) then at + n % 600 * interval '1 second' end, at, at
     from (select n, now() - n * interval '1 minute' as at from generate_series(1, 300000) as n) as numbered`,
  );
  await pool.query('vacuum analyze public.research_jobs');
});

const explain = async (text: string, values: readonly unknown[]): Promise<string> => {
  const { rows } = await pool.query<{ 'QUERY PLAN': string }>(
    `explain (analyze, buffers off, timing off) ${text}`,
    values,
  );
  return rows.map((row) => row['QUERY PLAN']).join('\n');
};

/** Rows that the largest step of a plan over the job table read or threw away. */
const rowsTouched = (plan: string): number =>
  Math.max(
    ...[
      ...plan.matchAll(/(?:on research_jobs job.*?actual rows=([\d.]+) loops=(\d+)|Rows Removed by Filter: (\d+))/g),
    ].map(([, rows, loops, removed]) => (removed === undefined ? Number(rows) * Number(loops) : Number(removed))),
  );

const types = [
  Array.from({ length: 20 }, (_, n) => `source ${n}`),
  Array.from({ length: 20 }, (_, n) => `type ${n % 7}`),
];
const longAgo = '2001-01-01T00:00:00Z';
const weekAgo = new Date(Date.now() - 7 * 86_400_000).toISOString();
const works = (n: number) => [
  Array.from({ length: n }, (_, i) => i),
  Array(n).fill('source 5'),
  Array(n).fill('type 5'),
  Array(n).fill(longAgo),
  Array(n).fill(new Date().toISOString()),
];
const partials = statements.partials;

describe('no reading of the whole table, with the recommended indexes', () => {
  it.each<[string, string | undefined | null, readonly unknown[], number]>([
    ['running jobs', snapshots.running.text, [5_001], 1_000],
    ['running jobs without texts', snapshots.running.bare, [5_001], 1_000],
    ['waiting jobs', snapshots.waiting.text, [3_600_000, 2_001, []], 4_500],
    ['jobs by id', snapshots.byId.text, [['00000000-0000-0000-0000-000000000000']], 10],
    ['durations', statements.durations, [...types, 1_000], 25_000],
    ['latest ends', statements.latestEnds, types, 25],
    ['history', statements.history, [...works(20), Array(20).fill('target 5'), ...works(20), ...works(20), 100], 6_500],
    ['runs of a chain', statements.chainRuns?.text, ['source 1', ['type 1', 'type 3'], weekAgo, 20, 100], 3_000],
    ['checkpoint', statements.checkpoint, ['00000000-0000-0000-0000-000000000000', 1_000], 5],
    ['partials from long ago', partials?.failuresFrom, [longAgo, 500], 600],
    ['partials of the next page', partials?.failuresAfter, [weekAgo, '00000000-0000-0000-0000-000000000000', 500], 600],
    ['the skim of partials', partials?.skimFrom, [longAgo, 500], 600],
    ['the comparison of partials', partials?.identitiesFrom, [86_400_000, 500], 600],
  ])('for %s', async (_caption, text, values, rowsMax) => {
    const plan = await explain(text ?? '', values);
    expect(plan).not.toMatch(/Seq Scan on research_jobs/);
    expect(plan).toMatch(/Index (Only )?Scan|Bitmap Index Scan/);
    expect(rowsTouched(plan), plan).toBeLessThanOrEqual(rowsMax);
  });

  it('which would happen without the index of running jobs', async () => {
    const client = await pool.connect();
    try {
      await client.query('begin');
      await client.query('drop index public.research_jobs_running');
      const { rows } = await client.query(`explain ${snapshots.running.text}`, [5_001]);
      expect(JSON.stringify(rows)).toContain('Seq Scan on research_jobs');
    } finally {
      await client.query('rollback');
      client.release();
    }
  });
});
