import { createTestDatabase, insertResearchJobs } from '@tocsin/testing';
import type { ResearchJobFields } from '@tocsin/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { readRuns } from './read-runs.ts';
import { createJobTable, sourceOf } from './watched-table.fixture.ts';

const { pool } = await createTestDatabase();
const source = await sourceOf(pool, 'public.research_jobs');
beforeEach(() => pool.query('truncate public.research_jobs'));

const monday = '2026-03-02T03:00:00Z';
const tuesday = '2026-03-03T03:00:00Z';
const wednesday = '2026-03-04T03:00:00Z';
const chain = {
  source: 'apple',
  jobTypes: ['refresh_catalog', 'rebuild_index'],
  startedAfter: '2026-03-01T00:00:00Z',
  limit: 20,
};

const step = (run: string, fields: Partial<ResearchJobFields>): Partial<ResearchJobFields> => ({
  payload: { chain_started_at: run },
  ...fields,
});
const ended = (run: string, at: string, status: ResearchJobFields['status'] = 'succeeded') =>
  step(run, { status, finished_at: at, updated_at: at, created_at: at });

describe('the runs of a chain', () => {
  it('are found by their jobs, whether these run, wait or have ended, the newest first', async () => {
    await insertResearchJobs(pool, [
      ended(monday, '2026-03-02T03:05:00Z'),
      ended(monday, '2026-03-02T03:09:00Z', 'failed'),
      step(tuesday, { status: 'running', target_id: 'songs' }),
      step(wednesday, { status: 'pending' }),
      { ...ended(wednesday, '2026-03-04T03:05:00Z'), job_type: 'sweep' },
      { status: 'running' },
    ]);
    const runs = await readRuns(pool, source, chain);
    expect(runs.map(({ run, startedAt, jobs }) => [run, startedAt, jobs.length])).toEqual([
      [wednesday, '2026-03-04T03:00:00.000Z', 1],
      [tuesday, '2026-03-03T03:00:00.000Z', 1],
      [monday, '2026-03-02T03:00:00.000Z', 2],
    ]);
    expect(runs[1]?.jobs[0]).toMatchObject({ state: 'running', targetId: 'songs', run: tuesday });
    expect(await readRuns(pool, source, { ...chain, startedAfter: tuesday })).toHaveLength(1);
    expect((await readRuns(pool, source, { ...chain, limit: 2 })).map(({ run }) => run)).toEqual([wednesday, tuesday]);
  });

  it('are dated by their first job where their id is no time', async () => {
    await insertResearchJobs(pool, [
      step('run b', { status: 'running', created_at: '2026-03-05T03:00:00Z' }),
      step('run a', { status: 'running', created_at: '2026-03-06T03:00:00Z' }),
      step('run a', { status: 'running', created_at: '2026-03-05T09:00:00Z' }),
      step('old run', { status: 'running', created_at: '2026-02-01T09:00:00Z' }),
    ]);
    const runs = await readRuns(pool, source, chain);
    expect(runs.map(({ run, startedAt }) => [run, startedAt])).toEqual([
      ['run a', '2026-03-05T09:00:00.000000Z'],
      ['run b', '2026-03-05T03:00:00.000000Z'],
    ]);
  });

  it('have a bounded number of jobs, and are none where runs cannot be searched', async () => {
    await pool.query(
      `insert into public.research_jobs (source, job_type, target_id, status, payload)
       select 'apple', 'refresh_catalog', n::text, 'running', jsonb_build_object('chain_started_at', $1::text) from generate_series(1, 150) as n`,
      [monday],
    );
    expect((await readRuns(pool, source, chain))[0]?.jobs).toHaveLength(100);
    const table = await createJobTable(pool, { payload: 'json' });
    expect(await readRuns(pool, await sourceOf(pool, table), chain)).toEqual([]);
  });
});
