import { createPool } from '@tocsin/runtime';
import { createTestDatabase, insertResearchJob, insertResearchJobs } from '@tocsin/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { readJobs } from './read-jobs.ts';
import { readRunning } from './read-running.ts';
import { readWaiting } from './read-waiting.ts';
import { createJobTable, sorted, sourceOf } from './watched-table.fixture.ts';

const { pool, connectionString } = await createTestDatabase();
const source = await sourceOf(pool, 'public.research_jobs');
beforeEach(() => pool.query('truncate public.research_jobs'));

const minuteMs = 60_000;
const ago = (minutes: number): string => new Date(Date.now() - minutes * minuteMs).toISOString();
const running = (limit = 100) => readRunning(pool, source, { limit });
const waiting = (waitedMs: number, limit = 100) => readWaiting(pool, source, { waitedMs, limit });

describe('running jobs', () => {
  it('are read with all that is known of them', async () => {
    const id = await insertResearchJob(pool, {
      status: 'running',
      target_id: 'songs',
      attempts: 2,
      payload: { chain_started_at: 'monday' },
      run_after: '2026-03-01T00:00:00Z',
      started_at: '2026-03-01T00:00:01.5Z',
      heartbeat_at: '2026-03-01T00:00:02.123456Z',
      created_at: '2026-02-28T00:00:00Z',
      updated_at: '2026-03-01T00:00:03Z',
    });
    const { jobs, readAt, more } = await running();
    expect(jobs).toEqual([
      {
        id,
        state: 'running',
        forGood: false,
        status: 'running',
        source: 'apple',
        jobType: 'refresh_catalog',
        targetId: 'songs',
        run: 'monday',
        attempts: 2,
        maxAttempts: 3,
        dueAt: '2026-03-01T00:00:00.000000Z',
        startedAt: '2026-03-01T00:00:01.500000Z',
        heartbeatAt: '2026-03-01T00:00:02.123456Z',
        finishedAt: null,
        createdAt: '2026-02-28T00:00:00.000000Z',
        changedAt: '2026-03-01T00:00:03.000000Z',
        stage: null,
        progress: null,
        counts: null,
        details: null,
      },
    ]);
    expect(more).toBe(false);
    expect(Math.abs(Date.parse(readAt) - Date.now())).toBeLessThan(minuteMs);
  });

  it('are none with a time of reading when nothing runs', async () => {
    await insertResearchJob(pool, { status: 'succeeded' });
    const { jobs, readAt } = await running();
    expect(jobs).toEqual([]);
    expect(Date.parse(readAt)).not.toBeNaN();
  });

  it('are those with the oldest sign of life when there are too many', async () => {
    await insertResearchJobs(pool, [
      { status: 'running', target_id: 'beats', started_at: ago(600), heartbeat_at: ago(1), updated_at: ago(600) },
      { status: 'running', target_id: 'silent', started_at: ago(60), heartbeat_at: ago(50), updated_at: ago(0) },
      { status: 'running', target_id: 'changed', started_at: ago(300), updated_at: ago(5) },
      { status: 'running', target_id: 'forgotten', started_at: ago(200), updated_at: ago(200) },
    ]);
    const { jobs, more } = await running(2);
    expect(jobs.map(({ targetId }) => targetId)).toEqual(['forgotten', 'silent']);
    expect(more).toBe(true);
    expect((await running(4)).more).toBe(false);
  });
});

describe('waiting jobs', () => {
  it('are those whose time came long enough ago, the longest first', async () => {
    await insertResearchJobs(pool, [
      { target_id: 'short', run_after: ago(10) },
      { target_id: 'long', run_after: ago(90) },
      { target_id: 'longer', run_after: ago(120) },
      { target_id: 'later', run_after: ago(-10) },
      { target_id: 'running', status: 'running', run_after: ago(120) },
      { target_id: 'canceled', status: 'canceled', run_after: ago(120) },
    ]);
    const { jobs, more } = await waiting(60 * minuteMs);
    expect(jobs.map(({ targetId }) => targetId)).toEqual(['longer', 'long']);
    expect(more).toBe(false);
    expect(await waiting(60 * minuteMs, 1)).toMatchObject({ jobs: [{ targetId: 'longer' }], more: true });
  });

  it('include what failed and will be tried again, from its failure on, and not what failed for good', async () => {
    await insertResearchJobs(pool, [
      { target_id: 'nobody', status: 'failed', attempts: 1, run_after: ago(300), updated_at: ago(70) },
      { target_id: 'just now', status: 'failed', attempts: 1, run_after: ago(300), updated_at: ago(1) },
      { target_id: 'put off', status: 'failed', attempts: 1, run_after: ago(-5), updated_at: ago(70) },
      { target_id: 'for good', status: 'failed', attempts: 3, run_after: ago(300), updated_at: ago(70) },
    ]);
    const { jobs } = await waiting(60 * minuteMs);
    expect(jobs).toMatchObject([{ targetId: 'nobody', state: 'failed', forGood: false }]);
    expect(Math.round((Date.now() - Date.parse(jobs[0]?.dueAt ?? '')) / minuteMs)).toBe(70);
  });

  it('that were tried before wait from their last change, when they went back into the queue', async () => {
    await insertResearchJobs(pool, [
      { target_id: 'tried', attempts: 1, run_after: ago(300), updated_at: ago(1) },
      { target_id: 'touched', attempts: 0, run_after: ago(300), updated_at: ago(1) },
    ]);
    expect((await waiting(60 * minuteMs)).jobs.map(({ targetId }) => targetId)).toEqual(['touched']);
  });

  it('without a due time count from their last change, and without that from their creation', async () => {
    const table = await createJobTable(pool, { status: "text default 'pending'", attempts: 'integer default 0' });
    await pool.query(
      `insert into ${table} (target_id, run_after, updated_at, created_at) values
        ('due', now() - interval '3 hours', now(), now()),
        ('changed', null, now() - interval '2 hours', now()),
        ('made', null, null, now() - interval '1 hour'),
        ('held back', 'infinity', now() - interval '5 hours', now() - interval '5 hours'),
        ('timeless', null, null, null)`,
    );
    const { jobs } = await readWaiting(pool, await sourceOf(pool, table), { waitedMs: 30 * minuteMs, limit: 10 });
    expect(jobs.map(({ targetId }) => targetId)).toEqual(['due', 'changed', 'made']);
    expect(jobs.every(({ dueAt }) => dueAt !== null)).toBe(true);
  });

  it('are found in a table with times without zone and no due time', async () => {
    const utc = "timestamp default (now() at time zone 'UTC')";
    const table = await createJobTable(pool, {
      status: "text default 'pending'",
      attempts: 'integer default 0',
      run_after: null,
      updated_at: utc,
      created_at: utc,
    });
    await pool.query(`insert into ${table} (updated_at) values ((now() - interval '2 hours') at time zone 'UTC')`);
    const other = await sourceOf(pool, table);
    expect((await readWaiting(pool, other, { waitedMs: 119 * minuteMs, limit: 5 })).jobs).toHaveLength(1);
    expect((await readWaiting(pool, other, { waitedMs: 121 * minuteMs, limit: 5 })).jobs).toHaveLength(0);
  });
});

describe('jobs by id', () => {
  it('are read whatever their state, and a row that is gone is not among them', async () => {
    const statuses = ['pending', 'running', 'succeeded', 'failed', 'dead', 'canceled'] as const;
    const ids = await insertResearchJobs(
      pool,
      statuses.map((status) => ({ status, attempts: 3 })),
    );
    const { jobs } = await readJobs(pool, source, [...ids, '00000000-0000-0000-0000-000000000000', 'no uuid', '']);
    expect(ids.map((id) => [jobs.get(id)?.state, jobs.get(id)?.forGood])).toEqual([
      ['waiting', false],
      ['running', false],
      ['succeeded', false],
      ['failed', true],
      ['dead', true],
      ['canceled', false],
    ]);
    expect(jobs.size).toBe(6);
  });

  it('have an unknown state when nobody knows their status, and counters only when they make sense', async () => {
    const table = await createJobTable(pool, { id: 'bigint primary key' });
    await pool.query(
      `insert into ${table} (id, status, attempts, source) values (7, 'exploded', -1, ''), (8, null, null, null)`,
    );
    const { jobs } = await readJobs(pool, await sourceOf(pool, table), ['7', '8', '9', '7.5', '99999999999999999999']);
    expect([...jobs.values()]).toMatchObject([
      { id: '7', state: 'unknown', status: 'exploded', attempts: null, source: '(none)' },
      { id: '8', state: 'unknown', status: '(none)', attempts: null },
    ]);
  });
});

describe('rows whose texts cannot be read', () => {
  it('are told by their times and state, and those beside them in full', async () => {
    await pool.query("create database snapshots_win1252 encoding 'WIN1252' locale 'C' template template0");
    const url = new URL(connectionString);
    url.pathname = '/snapshots_win1252';
    const odd = createPool({ connectionString: url.href, max: 1, applicationName: 'test', onError: () => {} });
    try {
      const table = await createJobTable(odd, { status: "text default 'running'" });
      // Byte 81 means nothing in Windows-1252, so the server cannot send it as UTF-8 (SQLSTATE 22P05).
      await odd.query(
        `insert into ${table} (target_id, heartbeat_at)
         select case when n = 7 then E'\\x81' else n::text end, now() from generate_series(1, 20) as n`,
      );
      const { jobs } = await readRunning(odd, await sourceOf(odd, table), { limit: 100 });
      expect(jobs).toHaveLength(20);
      expect(sorted(jobs.filter(({ targetId }) => targetId === null).map(({ source: name }) => name))).toEqual([
        '(unreadable)',
      ]);
      expect(jobs.every(({ state, heartbeatAt }) => state === 'running' && heartbeatAt !== null)).toBe(true);
    } finally {
      await odd.end();
      await pool.query('drop database snapshots_win1252');
    }
  });

  it('are shortened in the database when they are long', async () => {
    await insertResearchJob(pool, { status: 'running', target_id: 'x'.repeat(5_000_000), job_type: 'j'.repeat(4_000) });
    const [job] = (await running()).jobs;
    expect([job?.targetId?.length, job?.jobType.length]).toEqual([300, 300]);
  });
});
