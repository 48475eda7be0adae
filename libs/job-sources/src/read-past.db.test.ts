import { createTestDatabase, insertResearchJob, insertResearchJobs } from '@tocsin/testing';
import type { ResearchJobFields } from '@tocsin/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { readActivity } from './read-activity.ts';
import { readDurations } from './read-durations.ts';
import { readHistory } from './read-history.ts';
import type { PastWork } from './read-history.ts';
import { readLatestEnds } from './read-latest-ends.ts';
import { readOldestWriter } from './read-oldest-writer.ts';
import { createJobTable, sourceOf } from './watched-table.fixture.ts';

const { pool } = await createTestDatabase();
const source = await sourceOf(pool, 'public.research_jobs');
beforeEach(() => pool.query('truncate public.research_jobs'));

const type = { source: 'apple', jobType: 'refresh_catalog' } as const;
const key = 'apple\nrefresh_catalog';
const noon = Date.parse('2026-03-02T12:00:00Z');
const at = (seconds: number): string => new Date(noon + seconds * 1_000).toISOString();
const exactly = (seconds: number): string => at(seconds).replace('Z', '000Z');
const job = (
  status: ResearchJobFields['status'],
  finished: number | null,
  fields: Partial<ResearchJobFields> = {},
) => ({
  status,
  finished_at: finished === null ? null : at(finished),
  updated_at: at(finished ?? 0),
  ...fields,
});

describe('how long jobs take', () => {
  it('is learned from the newest successes', async () => {
    await insertResearchJobs(pool, [
      ...Array.from({ length: 100 }, (_, n) => job('succeeded', n + 1, { started_at: at(0) })),
      job('failed', 5_000, { started_at: at(0) }),
      job('succeeded', null, { started_at: at(0) }),
      job('succeeded', 10, { started_at: null }),
      job('succeeded', 0, { started_at: at(7_000) }),
      job('succeeded', 9_000, { started_at: at(0), job_type: 'other' }),
    ]);
    const all = await readDurations(pool, source, [type, { source: 'apple', jobType: 'never' }]);
    expect([...all]).toEqual([[key, { samples: 100, p50Ms: 50_000, p99Ms: 99_000 }]]);
    const newest = await readDurations(pool, source, [type], { samplesMax: 10 });
    expect(newest.get(key)).toEqual({ samples: 10, p50Ms: 95_000, p99Ms: 100_000 });
  });

  it('is unknown where the table does not say when jobs start', async () => {
    const table = await createJobTable(pool, { started_at: null });
    expect(await readDurations(pool, await sourceOf(pool, table), [type])).toEqual(new Map());
  });
});

describe('the history of work', () => {
  const ask = async (work: Partial<PastWork>, successesMax = 100) => {
    const [history] = await readHistory(
      pool,
      source,
      [{ ...type, target: 'any', since: null, before: at(1_000), ...work }],
      { successesMax },
    );
    return history;
  };

  it('counts the successes in its time, the end included and the beginning not', async () => {
    await insertResearchJobs(pool, [
      ...[10, 20, 30, 40].map((seconds) => job('succeeded', seconds)),
      job('failed', 25),
      job('succeeded', 25, { job_type: 'other' }),
    ]);
    expect(await ask({})).toEqual({ lastSuccessAt: exactly(40), successes: 4 });
    expect(await ask({ since: at(10), before: at(30) })).toEqual({ lastSuccessAt: exactly(30), successes: 2 });
    expect(await ask({ since: at(40) })).toEqual({ lastSuccessAt: null, successes: 0 });
    expect(await ask({}, 1)).toEqual({ lastSuccessAt: exactly(40), successes: 1 });
  });

  it('tells targets apart, and answers in the order asked', async () => {
    await insertResearchJobs(pool, [job('succeeded', 10, { target_id: 'songs' }), job('succeeded', 20)]);
    const works = ([{ id: 'songs' }, 'any', { id: null }, { id: 'albums' }] as const).map((target) => ({
      ...type,
      target,
      since: null,
      before: at(1_000),
    }));
    expect((await readHistory(pool, source, works)).map(({ lastSuccessAt }) => lastSuccessAt)).toEqual([
      exactly(10),
      exactly(20),
      exactly(20),
      null,
    ]);
  });

  it('takes a success from the future for one of now, and one without an end for one of its last change', async () => {
    const before = new Date().toISOString();
    await insertResearchJob(pool, { status: 'succeeded', finished_at: new Date(Date.now() + 3_000_000).toISOString() });
    expect(await ask({ before })).toEqual({ lastSuccessAt: before.replace('Z', '000Z'), successes: 1 });
    expect(await ask({ before: at(1_000) })).toEqual({ lastSuccessAt: null, successes: 0 });
    await insertResearchJob(pool, job('succeeded', null));
    expect(await ask({})).toEqual({ lastSuccessAt: exactly(0), successes: 1 });
  });
});

describe('the latest end', () => {
  it('is that of the last job of the type, however it ended, and never in the future', async () => {
    await insertResearchJobs(pool, [
      job('succeeded', 10),
      job('failed', 30, { attempts: 1 }),
      job('canceled', 50),
      job('running', 60),
      { job_type: 'ahead', status: 'dead', finished_at: new Date(Date.now() + 3_000_000).toISOString() },
      { job_type: 'broken', status: 'dead', finished_at: 'infinity' },
    ]);
    const types = ['refresh_catalog', 'ahead', 'broken', 'none'].map((jobType) => ({ source: 'apple', jobType }));
    const ends = await readLatestEnds(pool, source, types);
    expect([...ends.keys()]).toEqual([key, 'apple\nahead']);
    expect(ends.get(key)).toBe(exactly(30));
    expect(Date.parse(ends.get('apple\nahead') ?? '')).toBeLessThan(Date.now() + 60_000);
  });
});

describe('the activity', () => {
  it('grows with every change, over all partitions; a view has none', async () => {
    await pool.query(`
      create schema if not exists app;
      create table app.parted (like public.research_jobs including defaults) partition by list (source);
      create table app.parted_a partition of app.parted for values in ('a');
      create table app.parted_b partition of app.parted for values in ('b');
      create view app.seen as select * from public.research_jobs`);
    const parted = await sourceOf(pool, 'app.parted');
    const activity = async () => {
      await pool.query('select pg_stat_force_next_flush()');
      return readActivity(pool, parted);
    };
    const client = await pool.connect();
    try {
      const before = (await activity()) ?? 0;
      await client.query(
        "insert into app.parted (id, source, job_type) select gen_random_uuid(), s, 'x' from unnest(array['a', 'b']) as s",
      );
      await client.query("update app.parted set status = 'dead' where source = 'b'");
      await client.query('select pg_stat_force_next_flush()');
      expect(((await activity()) ?? 0) - before).toBe(3);
    } finally {
      client.release();
    }
    expect(await readActivity(pool, await sourceOf(pool, 'app.seen'))).toBeNull();
  });
});

it('the oldest writer is the transaction that has been writing the longest', async () => {
  expect(await readOldestWriter(pool)).toEqual({
    startedAt: null,
    pid: null,
    applicationName: null,
    state: null,
    query: null,
  });
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query("insert into public.research_jobs (source, job_type) values ('apple', 'x')");
    expect(await readOldestWriter(pool)).toMatchObject({
      applicationName: 'tocsin test',
      state: 'idle in transaction',
      query: expect.stringContaining('insert into') as string,
    });
  } finally {
    await client.query('rollback');
    client.release();
  }
});
