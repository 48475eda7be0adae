import {
  createTestDatabase,
  insertFailedResearchJob,
  insertResearchJob,
  insertResearchJobs,
  updateResearchJob,
} from '@tocsin/testing';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { createDetectorBench, sorted, watched } from './detector.fixture.ts';

const database = await createTestDatabase();
const { pool } = database;
const bench = await createDetectorBench(database);
beforeEach(bench.clear);

const inMinutes = (minutes: number): string => new Date(Date.now() + minutes * 60_000).toISOString();
const noComparison = { reconcileMs: 86_400_000 };

/** Ends the look at the first poll, so that what later polls find is found by the scan alone. */
const scanningDetector = async (changes: Parameters<typeof watched>[1] = {}) => {
  const detector = bench.detector({ tables: [watched(pool, { ...noComparison, ...changes })] });
  await detector.pollOnce();
  return detector;
};

describe('once, and only then', () => {
  it('tells a job after its last attempt, not after the first two', async () => {
    const detector = await scanningDetector();
    const id = await insertResearchJob(pool, {
      target_id: 'songs',
      status: 'failed',
      attempts: 1,
      max_attempts: 3,
      finished_at: inMinutes(0),
    });
    await detector.pollOnce();
    await updateResearchJob(pool, id, { attempts: 2 });
    await detector.pollOnce();
    expect(await bench.failures()).toEqual([]);
    await updateResearchJob(pool, id, { attempts: 3, error: 'boom' });
    await detector.pollOnce();
    await detector.pollOnce();
    expect(await bench.failures()).toMatchObject([
      { jobId: id, kind: 'failed', targetId: 'songs', attempts: 3, error: 'boom' },
    ]);
  });

  it('says nothing when an admin tool touches the row an hour later, even after a restart', async () => {
    const id = await insertFailedResearchJob(pool);
    await bench.detector().pollOnce();
    await updateResearchJob(pool, id, { updated_at: inMinutes(60) });
    await bench.detector().pollOnce();
    expect(await bench.failures()).toHaveLength(1);
  });

  it('tells a row again that was set back and failed for good again', async () => {
    const detector = await scanningDetector();
    const id = await insertFailedResearchJob(pool);
    await detector.pollOnce();
    await updateResearchJob(pool, id, { status: 'pending', attempts: 0, finished_at: null });
    await detector.pollOnce();
    await updateResearchJob(pool, id, { status: 'failed', attempts: 3, finished_at: inMinutes(0) });
    await detector.pollOnce();
    const [first, again, ...more] = await bench.failures();
    expect(more).toEqual([]);
    expect([first?.jobId, again?.jobId]).toEqual([id, id]);
    expect(first?.outcomeId).not.toBe(again?.outcomeId);
  });

  it('tells a dead job whatever its attempts, and never a canceled one', async () => {
    await insertResearchJob(pool, { status: 'canceled', attempts: 3 });
    const dead = await insertResearchJob(pool, { status: 'dead', attempts: 1, max_attempts: 5 });
    await bench.detector().pollOnce();
    expect((await bench.failures()).map(({ jobId, kind }) => [jobId, kind])).toEqual([[dead, 'dead']]);
  });

  it('tells each failure once when two detectors look at the same time', async () => {
    await insertMany(700);
    const detectors = [bench.detector(), bench.detector(), bench.detector()];
    await Promise.all(detectors.map((detector) => detector.runOnce()));
    const ids = (await bench.failures()).map(({ outcomeId }) => outcomeId);
    expect(ids).toHaveLength(700);
    expect(new Set(ids).size).toBe(700);
  });

  it('sends in jobs of at most 500 signals, and announces exactly what it sends', async () => {
    await insertMany(1_201);
    await bench.detector().runOnce();
    const { rows } = await pool.query<{ readonly signals: number }>(
      "select jsonb_array_length(data -> 'signals') as signals from pgboss.job",
    );
    expect(Math.max(...rows.map(({ signals }) => signals))).toBeLessThanOrEqual(500);
    const { rows: outcomes } = await pool.query('select count(*) as count from tocsin.outcomes');
    expect([rows.reduce((sum, { signals }) => sum + signals, 0), outcomes[0]?.['count']]).toEqual([1_201, 1_201]);
  });
});

describe('nothing lost', () => {
  it('tells failures of the hours it was down, once, with their true times', async () => {
    await scanningDetector();
    const times = [-180, -120, -1].map(inMinutes);
    await insertResearchJobs(
      pool,
      times.map((at) => ({ status: 'failed' as const, attempts: 3, finished_at: at, updated_at: at })),
    );
    await bench.detector().pollOnce();
    await bench.detector().pollOnce();
    expect((await bench.failures()).map(({ failedAt }) => Date.parse(failedAt))).toEqual(
      times.map((at) => Date.parse(at)),
    );
  });

  /** One slow transaction, and later failures that are read while it is open. No overlap hides whether the cursor waits. */
  const readBesideSlowWriter = async (readFrom: typeof pool) => {
    const detector = bench.detector({ tables: [watched(readFrom, { ...noComparison, batch: 50, overlapMs: 0 })] });
    await detector.pollOnce();
    const slow = await pool.connect();
    try {
      await slow.query('begin');
      await slow.query(
        "insert into public.research_jobs (source, job_type, status, attempts, finished_at) values ('apple', 'late', 'failed', 3, now())",
      );
      for (let round = 0; round < 3; round += 1) {
        await insertMany(200);
        await pollUntilDry(detector);
      }
      expect(await bench.failures()).toHaveLength(600);
      await slow.query('commit');
    } finally {
      slow.release();
    }
    await pollUntilDry(detector);
    await pollUntilDry(detector);
    return { late: async () => (await bench.failures()).filter(({ jobType }) => jobType === 'late') };
  };

  it('tells what a transaction marked before later failures were read, once, by the scan alone', async () => {
    const { late } = await readBesideSlowWriter(pool);
    expect(await late()).toHaveLength(1);
  });

  it('would miss it by the scan if writers could not be seen, and finds it by comparison', async () => {
    const blind: typeof pool = {
      ...pool,
      query: (text, values) => pool.query(text.replace('activity.backend_xid is not null', 'false'), values),
    };
    const { late } = await readBesideSlowWriter(blind);
    expect(await late()).toHaveLength(0);
    await bench.detector({ tables: [watched(blind)] }).pollOnce();
    expect(await late()).toHaveLength(1);
  });

  it('finds by comparison what clocks that are wrong have put before the cursor, and what has no time of change', async () => {
    await pool.query('alter table public.research_jobs alter updated_at drop not null');
    const detector = bench.detector({ tables: [watched(pool, { reconcileMs: 0, pollMs: 60_000 })] });
    await detector.pollOnce();
    await insertFailedResearchJob(pool, { target_id: 'behind', updated_at: inMinutes(-60) });
    const undated = await insertFailedResearchJob(pool, { target_id: 'undated' });
    await pool.query('update public.research_jobs set updated_at = null where id = $1', [undated]);
    const report = await detector.pollOnce();
    expect(report.tables[0]).toMatchObject({ reconciled: 2, scan: { sent: 0 } });
    expect(sorted((await bench.failures()).map(({ targetId }) => targetId))).toEqual(['behind', 'undated']);
    await detector.pollOnce();
    expect(await bench.failures()).toHaveLength(2);
  });

  it('tells a row from the future at once, and is not led past the present by it', async () => {
    const detector = await scanningDetector();
    await insertFailedResearchJob(pool, { target_id: 'ahead', finished_at: inMinutes(60), updated_at: inMinutes(60) });
    await detector.pollOnce();
    await insertFailedResearchJob(pool, { target_id: 'now' });
    await detector.pollOnce();
    const failures = await bench.failures();
    expect(failures.map(({ targetId }) => targetId)).toEqual(['ahead', 'now']);
    for (const { failedAt, observedAt } of failures)
      expect(Date.parse(failedAt)).toBeLessThanOrEqual(Date.parse(observedAt));
    const { rows } = await pool.query('select 1 from tocsin.cursors where changed_at > now()');
    expect(rows).toEqual([]);
  });

  it('tells one page of equal times after the other', async () => {
    await insertMany(37, "'2026-03-01 03:00+00'");
    await bench.detector({ tables: [watched(pool, { batch: 5, lookBackMs: 3_650 * 86_400_000 })] }).runOnce();
    expect(new Set((await bench.failures()).map(({ jobId }) => jobId)).size).toBe(37);
  });

  it('announces nothing when the signals could not be queued, and sends them with the next poll', async () => {
    await insertFailedResearchJob(pool);
    const broken = bench.detector({
      queue: {
        enqueue: () => Promise.reject(new Error('queue full')),
        depth: () => Promise.reject(new Error('queue full')),
      },
    });
    expect((await broken.pollOnce()).tables[0]?.problem).toBe('queue full');
    expect((await pool.query('select 1 from tocsin.outcomes')).rows).toEqual([]);
    await bench.detector().pollOnce();
    expect(await bench.failures()).toHaveLength(1);
  });

  it('sends again what was announced and lost on the way, but only once the queue is empty', async () => {
    let nowMs = 0;
    const detector = bench.detector({
      tables: [watched(pool, { reconcileMs: 0 })],
      monotonicMs: () => nowMs,
      resendAfterMs: 600_000,
    });
    await insertFailedResearchJob(pool);
    await detector.pollOnce();
    nowMs += 700_000;
    await detector.pollOnce();
    expect(await bench.failures()).toHaveLength(1);
    await pool.query('delete from pgboss.job');
    await detector.pollOnce();
    expect(await bench.failures()).toHaveLength(1);
    await detector.pollOnce();
    expect(await bench.failures()).toHaveLength(1);
    expect(bench.log.filter(({ decision }) => decision === 'SignalsResent')).toHaveLength(1);
  });

  it('never sends again what has been decided', async () => {
    let nowMs = 0;
    const detector = bench.detector({
      tables: [watched(pool, { reconcileMs: 0 })],
      monotonicMs: () => nowMs,
      resendAfterMs: 600_000,
    });
    await insertFailedResearchJob(pool);
    await detector.pollOnce();
    await pool.query("update tocsin.outcomes set disposition = 'ignored', recorded_at = now()");
    await pool.query('delete from pgboss.job');
    nowMs += 700_000;
    await detector.pollOnce();
    nowMs += 700_000;
    await detector.pollOnce();
    expect(await bench.signals()).toEqual([]);
  });
});

describe('chain runs', () => {
  it('come with the failure', async () => {
    const run = inMinutes(-30);
    await insertResearchJobs(pool, [
      { target_id: 'albums', status: 'succeeded', payload: { chain_started_at: run } },
      { target_id: 'songs', status: 'failed', attempts: 3, payload: { chain_started_at: run } },
    ]);
    await bench.detector().pollOnce();
    expect(await bench.failures()).toMatchObject([
      {
        run,
        runContext: {
          steps: [
            { targetId: 'albums', status: 'succeeded' },
            { targetId: 'songs', status: 'failed' },
          ],
          learned: [],
          lastGreenAt: null,
        },
      },
    ]);
  });

  it('that take too long to read are left out, with a warning, and the failure is told all the same', async () => {
    await insertFailedResearchJob(pool, { payload: { chain_started_at: 'monday' } });
    // Stands for a table without the index: the time limit strikes.
    const connect: typeof pool.connect = async () => {
      const client = await pool.connect();
      return {
        ...client,
        query: (text, values) =>
          client.query(text.includes('sibling') ? 'select pg_sleep(30)' : text, text.includes('sibling') ? [] : values),
      };
    };
    await bench.detector({ tables: [watched({ ...pool, connect })] }).pollOnce();
    expect(await bench.failures()).toMatchObject([{ run: 'monday', runContext: null }]);
    expect(bench.log.filter(({ decision }) => decision === 'RunContextSkipped')).toHaveLength(1);
  });
});

describe('when something is wrong with a database', () => {
  it('goes on by itself after the table was dropped, made again, and its privileges came and went; one line per change', async () => {
    await pool.query('create schema other; create table other.jobs (like public.research_jobs including all)');
    const table = watched(pool, { name: 'other', table: 'other.jobs', ...noComparison });
    const detector = bench.detector({ tables: [table, bench.table] });
    const problems = async () => (await detector.pollOnce()).tables.map(({ problem }) => problem);
    expect(await problems()).toEqual([null, null]);

    await pool.query('alter table other.jobs rename to gone');
    const [missing, fine] = await problems();
    expect([missing, fine]).toEqual([expect.stringContaining('other.jobs'), null]);
    await problems();
    await problems();
    await pool.query('alter table other.gone rename to jobs');
    expect(await problems()).toEqual([null, null]);

    await pool.query("insert into other.jobs (source, job_type, status, attempts) values ('a', 'b', 'failed', 3)");
    await insertFailedResearchJob(pool);
    expect(await problems()).toEqual([null, null]);
    expect((await bench.failures()).map(({ table: name }) => name).toSorted()).toEqual(['other', 'research_jobs']);

    await pool.query('drop table other.jobs; create table other.jobs (id bigint primary key)');
    const [unfit] = await problems();
    expect(unfit).toContain('has no column');
    // First the server's own words, then what the inspection says; never once per poll.
    expect(bench.log.filter(({ level }) => level === 'error').length).toBeLessThanOrEqual(4);
    expect(bench.log.filter(({ decision }) => decision === 'TableRecovered')).toHaveLength(1);
    await pool.query('drop schema other cascade');
  });

  it('keeps polling a table while another one cannot be read, and says so in its heartbeat', async () => {
    const missing = watched(pool, { name: 'missing', table: 'public.missing' });
    const detector = bench.detector({ tables: [missing, bench.table] });
    detector.start();
    try {
      await insertFailedResearchJob(pool);
      await vi.waitUntil(async () => (await bench.failures()).length === 1, { timeout: 5_000 });
      await vi.waitUntil(
        async () =>
          (await pool.query('select 1 from tocsin.heartbeats where data::text like $1', ['%no table public.missing%']))
            .rows.length === 1,
        { timeout: 5_000 },
      );
    } finally {
      await detector.stop();
    }
    expect(bench.log.filter(({ decision }) => decision === 'TableUnreadable')).toHaveLength(1);
  });

  it('tells failures although the comparison takes too long, and says so once', async () => {
    const slow: typeof pool = {
      ...pool,
      query: (text, values) =>
        text.includes('as wanted')
          ? Promise.reject(Object.assign(new Error('canceling statement due to statement timeout'), { code: '57014' }))
          : pool.query(text, values),
    };
    const detector = bench.detector({ tables: [watched(slow, { reconcileMs: 0 })] });
    await insertFailedResearchJob(pool);
    await detector.pollOnce();
    await insertFailedResearchJob(pool);
    const report = await detector.pollOnce();
    expect(report.tables[0]?.problem).toContain('the comparison was skipped');
    expect(await bench.failures()).toHaveLength(2);
    expect(bench.log.filter(({ msg }) => String(msg).startsWith('the comparison was skipped'))).toHaveLength(1);
  });

  it('survives having all its connections cut', async () => {
    const detector = bench.detector({ tables: [watched(pool, { pollMs: 20 })] });
    detector.start();
    try {
      await vi.waitUntil(() => bench.log.some(({ decision }) => decision === 'TableWatched'));
      await pool.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database() and application_name = 'tocsin test'",
      );
      await insertFailedResearchJob(pool);
      await vi.waitUntil(async () => (await bench.failures()).length === 1, { timeout: 10_000 });
    } finally {
      await detector.stop();
    }
  });

  it('warns once of a status that nobody knows, and does not tell it', async () => {
    await pool.query('alter table public.research_jobs drop constraint research_jobs_status_check');
    await pool.query("insert into public.research_jobs (source, job_type, status) values ('a', 'b', 'exploded')");
    const detector = bench.detector();
    await detector.pollOnce();
    await detector.pollOnce();
    expect(bench.log.filter(({ decision }) => decision === 'StatusUnknown')).toMatchObject([
      { status: 'exploded', rows: 1 },
    ]);
    expect(await bench.signals()).toEqual([]);
  });
});

/** Inserts failures for good whose time of change is this SQL expression. */
const insertMany = (count: number, changed = 'now()') =>
  pool.query(
    `insert into public.research_jobs (source, job_type, target_id, status, attempts, finished_at, updated_at)
     select 'apple', 'refresh_catalog', n::text, 'failed', 3, now(), ${changed} from generate_series(1, ${count}) as n`,
  );

const pollUntilDry = async (detector: {
  readonly pollOnce: () => Promise<{ readonly tables: readonly { readonly more: boolean }[] }>;
}) => {
  for (let more = true; more;) more = (await detector.pollOnce()).tables.some((table) => table.more);
};
