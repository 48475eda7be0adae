import type { Rule, SchedulePolicy } from '@tocsin/alert-model';
import {
  createTestDatabase,
  insertFailedResearchJob,
  insertResearchJob,
  insertResearchJobs,
  updateResearchJob,
} from '@tocsin/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { createDetectorBench, watched } from './detector.fixture.ts';

const database = await createTestDatabase();
const { pool } = database;
const bench = await createDetectorBench(database);
beforeEach(bench.clear);

const minuteMs = 60_000;
const minutesAgo = (minutes: number): string => new Date(Date.now() - minutes * minuteMs).toISOString();
const rules: readonly Rule[] = [
  {
    name: 'rules[0]',
    match: {},
    stuckAfter: { mode: 'fixed', heartbeatMs: 15 * minuteMs, updateMs: null },
    stalledAfterMs: 30 * minuteMs,
  },
];
const policy = { rules, chains: [], schedules: [], storm: null };
const running = (minutes: number, changes = {}) =>
  insertResearchJob(pool, {
    target_id: 'songs',
    status: 'running',
    attempts: 1,
    started_at: minutesAgo(minutes + 1),
    heartbeat_at: minutesAgo(minutes),
    updated_at: minutesAgo(minutes),
    created_at: minutesAgo(minutes + 2),
    ...changes,
  });
const waiting = (minutes: number, changes = {}) =>
  insertResearchJob(pool, { target_id: 'songs', status: 'pending', run_after: minutesAgo(minutes), ...changes });

const conditions = async () =>
  (await bench.signals()).map((signal) =>
    signal.signal === 'ConditionEnded'
      ? ['ended', signal.kind, signal.cause]
      : signal.signal === 'FailureDetected'
        ? ['began', signal.kind, signal.targetId]
        : [signal.signal],
  );

describe('stuck', () => {
  it('is told once, by however many detectors, and after a restart no more', async () => {
    const id = await running(20);
    const two = [bench.detector({ policy }), bench.detector({ policy })];
    await Promise.all(two.map((detector) => detector.runOnce()));
    await bench.detector({ policy }).runOnce();
    expect(await bench.failures()).toMatchObject([{ jobId: id, kind: 'stuck', targetId: 'songs', attempts: 1 }]);
  });

  it('ends when the job shows a sign of life, and may begin again', async () => {
    const id = await running(20);
    const detector = bench.detector({ policy });
    await detector.runOnce();
    await updateResearchJob(pool, id, { heartbeat_at: minutesAgo(0) });
    await detector.runOnce();
    await updateResearchJob(pool, id, { heartbeat_at: minutesAgo(16) });
    // One that saw this heartbeat come would take it for that of a clock that is behind.
    await bench.detector({ policy }).runOnce();
    expect(await conditions()).toEqual([
      ['began', 'stuck', 'songs'],
      ['ended', 'stuck', 'alive'],
      ['began', 'stuck', 'songs'],
    ]);
  });

  it.each<[string, Parameters<typeof updateResearchJob>[2], string]>([
    ['succeeded', { status: 'succeeded', finished_at: minutesAgo(0) }, 'succeeded'],
    ['dead', { status: 'dead', finished_at: minutesAgo(0) }, 'ended'],
    ['canceled', { status: 'canceled' }, 'canceled'],
    ['pending', { status: 'pending' }, 'ended'],
  ])('ends when the job is %s', async (_, change, cause) => {
    const id = await running(20);
    const detector = bench.detector({ policy });
    await detector.runOnce();
    await updateResearchJob(pool, id, change);
    await detector.runOnce();
    expect(await conditions()).toContainEqual(['ended', 'stuck', cause]);
  });

  it('is confirmed before our eyes while the detector goes on polling', async () => {
    await running(20);
    let nowMs = 0;
    const detector = bench.detector({ policy, monotonicMs: () => nowMs });
    await detector.pollOnce();
    expect(await conditions()).toEqual([]);
    nowMs += 15_000;
    await detector.pollOnce();
    expect(await conditions()).toEqual([['began', 'stuck', 'songs']]);
  });

  it('is not told of a worker whose clock is an hour behind and that goes on beating', async () => {
    const id = await running(61, { created_at: minutesAgo(1), updated_at: minutesAgo(0) });
    let nowMs = 0;
    const detector = bench.detector({ policy, monotonicMs: () => nowMs });
    for (let look = 0; look < 5; look += 1) {
      await updateResearchJob(pool, id, { heartbeat_at: minutesAgo(60 - look / 10) });
      await detector.pollOnce();
      nowMs += 15_000;
    }
    expect((await bench.failures()).map(({ kind, jobId }) => [kind, jobId])).toEqual([['unhealthy', 'table:clock']]);
  });
});

describe('stalled', () => {
  it('is told of a job nobody picks up, and of one that waits for its next attempt', async () => {
    await waiting(45);
    await waiting(20, { target_id: 'albums' });
    await insertResearchJob(pool, {
      target_id: 'artists',
      status: 'failed',
      attempts: 1,
      max_attempts: 3,
      run_after: minutesAgo(40),
      updated_at: minutesAgo(50),
    });
    await bench.detector({ policy }).runOnce();
    expect((await bench.failures()).map(({ kind, targetId }) => `${kind} ${targetId}`).toSorted()).toEqual([
      'stalled artists',
      'stalled songs',
    ]);
  });

  it('ends when it is picked up', async () => {
    const id = await waiting(45);
    const detector = bench.detector({ policy });
    await detector.runOnce();
    await updateResearchJob(pool, id, { status: 'running', started_at: minutesAgo(0), heartbeat_at: minutesAgo(0) });
    await detector.runOnce();
    expect(await conditions()).toEqual([
      ['began', 'stalled', 'songs'],
      ['ended', 'stalled', 'alive'],
    ]);
  });

  it('is one condition for a long queue, which ends when the queue is worked off', async () => {
    await insertResearchJobs(
      pool,
      Array.from({ length: 300 }, (_, n) => ({
        target_id: `t${n}`,
        status: 'pending' as const,
        run_after: minutesAgo(45),
      })),
    );
    const detector = bench.detector({ policy });
    await detector.runOnce();
    await pool.query("update public.research_jobs set status = 'succeeded', finished_at = now()");
    await detector.runOnce();
    expect(await conditions()).toEqual([
      ['began', 'stalled', null],
      ['ended', 'stalled', 'alive'],
    ]);
  });

  it('is seen behind a queue of another type that is longer than a page', async () => {
    await pool.query(
      `insert into public.research_jobs (source, job_type, target_id, status, run_after)
       select 'apple', 'bulk', n::text, 'pending', now() - interval '2 hours' from generate_series(1, 3000) as n`,
    );
    await waiting(45);
    const bulk: Rule = { name: 'bulk', match: { jobType: ['bulk'] }, stalledAfterMs: null };
    await bench.detector({ policy: { ...policy, rules: [bulk, ...rules] } }).runOnce();
    expect((await bench.failures()).map(({ kind, targetId }) => [kind, targetId])).toEqual([['stalled', 'songs']]);
  });
});

describe('partial', () => {
  it('is told of a success whose result counts failed parts, once', async () => {
    const result = JSON.stringify({ failed: 50, total: 1000 });
    await insertResearchJob(pool, { target_id: 'songs', status: 'succeeded', finished_at: minutesAgo(0) });
    const id = await insertResearchJob(pool, { target_id: 'albums', status: 'succeeded', finished_at: minutesAgo(0) });
    await pool.query('update public.research_jobs set result = $1::jsonb where id = $2', [result, id]);
    const detector = bench.detector({ policy });
    await detector.runOnce();
    await detector.runOnce();
    await bench.detector({ policy }).runOnce();
    expect(await bench.failures()).toMatchObject([{ jobId: id, kind: 'partial', counts: { failed: 50, total: 1000 } }]);
  });
});

describe('overdue', () => {
  const schedule: SchedulePolicy = {
    name: 'nightly',
    table: 'research_jobs',
    source: 'apple',
    work: { jobType: 'import', targetId: null },
    due: { kind: 'every', everyMs: 60 * minuteMs },
    graceMs: 5 * minuteMs,
  };
  const scheduled = { rules, chains: [], schedules: [schedule], storm: null };
  const succeeded = (minutes: number) =>
    insertResearchJob(pool, {
      source: 'apple',
      job_type: 'import',
      target_id: 'x',
      status: 'succeeded',
      finished_at: minutesAgo(minutes),
    });

  it('is told when the last success is too long ago, and ends with the next one', async () => {
    await succeeded(66);
    const detector = bench.detector({ policy: scheduled });
    await detector.runOnce();
    await detector.runOnce();
    await succeeded(0);
    await detector.runOnce();
    expect(await conditions()).toEqual([
      ['began', 'overdue', null],
      ['ended', 'overdue', 'succeeded'],
    ]);
  });

  it('is told of work that was never enqueued at all, counted from when Tocsin came to know of it', async () => {
    const detector = bench.detector({ policy: scheduled });
    await detector.runOnce();
    expect(await conditions()).toEqual([]);
    await pool.query(
      "update tocsin.cursors set changed_at = changed_at - interval '2 hours' where name like 'schedule/%'",
    );
    await bench.detector({ policy: scheduled }).runOnce();
    expect(await conditions()).toEqual([['began', 'overdue', null]]);
    expect((await bench.failures())[0]?.error).toContain('was it ever enqueued?');
  });

  it('ends when its schedule is no longer configured', async () => {
    await succeeded(66);
    await bench.detector({ policy: scheduled }).runOnce();
    await bench.detector({ policy }).runOnce();
    expect(await conditions()).toContainEqual(['ended', 'overdue', 'canceled']);
  });
});

describe('chain runs', () => {
  const chain = {
    name: 'catalog',
    source: 'apple',
    steps: [
      { jobType: 'refresh_catalog', targets: ['albums', 'songs'] },
      { jobType: 'rebuild_index', targets: null },
    ],
    deadlineMs: 60 * minuteMs,
  };
  const inRun = (run: string, target: string | null, changes: Record<string, unknown>) =>
    insertResearchJob(pool, {
      source: 'apple',
      job_type: target === null ? 'rebuild_index' : 'refresh_catalog',
      target_id: target,
      payload: { chain_started_at: run },
      created_at: run,
      ...changes,
    });

  it('are told when they take longer than their deadline, and end when they are whole', async () => {
    const run = minutesAgo(70);
    await inRun(run, 'albums', { status: 'succeeded', finished_at: minutesAgo(60) });
    const songs = await inRun(run, 'songs', {
      status: 'running',
      started_at: minutesAgo(1),
      heartbeat_at: minutesAgo(0),
    });
    const detector = bench.detector({ policy: { ...policy, chains: [chain] } });
    await detector.runOnce();
    await updateResearchJob(pool, songs, { status: 'succeeded', finished_at: minutesAgo(0) });
    await inRun(run, null, { status: 'succeeded', finished_at: minutesAgo(0) });
    await detector.runOnce();
    expect(await conditions()).toEqual([
      ['began', 'deadline', 'songs'],
      ['ended', 'deadline', 'succeeded'],
    ]);
  });
});

describe('a table that cannot be judged', () => {
  it('is told once for all heartbeats that stopped, and its jobs one by one when one beats again', async () => {
    const ids = await Promise.all(Array.from({ length: 6 }, (_, n) => running(20 + n, { target_id: `t${n}` })));
    const detector = bench.detector({ policy });
    await detector.runOnce();
    expect(await conditions()).toEqual([['began', 'unhealthy', 'research_jobs']]);
    await updateResearchJob(pool, ids[0] ?? '', { heartbeat_at: minutesAgo(0) });
    await detector.runOnce();
    const after = await conditions();
    expect(after).toContainEqual(['ended', 'unhealthy', 'alive']);
    expect(after.filter(([, kind]) => kind === 'stuck')).toHaveLength(5);
  });

  it('is told when it cannot be read, and caught up with when it can', async () => {
    const detector = bench.detector({ policy, unreadableAfterMs: 0 });
    await detector.pollOnce();
    await pool.query('alter table public.research_jobs rename to gone');
    await detector.pollOnce();
    await detector.pollOnce();
    await pool.query('alter table public.gone rename to research_jobs');
    const id = await insertFailedResearchJob(pool, { finished_at: minutesAgo(3) });
    await detector.pollOnce();
    await detector.runOnce();
    expect(await conditions()).toEqual([
      ['began', 'unhealthy', 'research_jobs'],
      ['began', 'failed', null],
      ['ended', 'unhealthy', 'alive'],
    ]);
    expect((await bench.failures()).find(({ jobId }) => jobId === id)?.failedAt.slice(0, 16)).toBe(
      minutesAgo(3).slice(0, 16),
    );
  });
});

describe("when Tocsin's own database fails", () => {
  it('does not say that the watched table cannot be read', async () => {
    let failing = false;
    const store: typeof bench.store = {
      ...bench.store,
      transaction: (name, run) =>
        // Away while the table is looked at, and back when that is to be told.
        failing && name !== 'detector.now' && name !== 'detector.conditions'
          ? Promise.reject(Object.assign(new Error('the database system is shutting down'), { code: '57P03' }))
          : bench.store.transaction(name, run),
    };
    const detector = bench.detector({
      policy,
      store,
      describeStoreError: () => 'our own is away',
      unreadableAfterMs: 0,
    });
    await detector.pollOnce();
    failing = true;
    await insertFailedResearchJob(pool);
    expect((await detector.pollOnce()).tables[0]?.problem).toBe('our own is away');
    failing = false;
    expect(await conditions()).toEqual([]);
  });
});

describe('thresholds', () => {
  it('are given what came before the failure', async () => {
    const lastSuccess = minutesAgo(30);
    await insertResearchJob(pool, { target_id: 'songs', status: 'succeeded', finished_at: lastSuccess });
    await insertFailedResearchJob(pool, { target_id: 'songs', finished_at: minutesAgo(1) });
    const threshold: Rule = { name: 'rules[0]', match: {}, threshold: { kind: 'in-a-row', failures: 3 } };
    await bench.detector({ policy: { ...policy, rules: [threshold] } }).runOnce();
    const [failure] = await bench.failures();
    expect(Date.parse(failure?.history?.lastSuccessAt ?? '')).toBe(Date.parse(lastSuccess));
    expect(failure?.history?.successes).toBe(1);
  });
});

it('costs few statements while nothing happens', async () => {
  const counted = { statements: 0 };
  const counting = {
    ...pool,
    query: (text: string, values?: readonly unknown[]) => {
      counted.statements += 1;
      return pool.query(text, values);
    },
  } as typeof pool;
  let nowMs = 0;
  const detector = bench.detector({ tables: [watched(counting, { pollMs: 2_000 })], policy, monotonicMs: () => nowMs });
  await detector.pollOnce();
  counted.statements = 0;
  for (let second = 0; second < 60; second += 2) {
    nowMs += 2_000;
    await detector.pollOnce();
  }
  // At most one and a half statements a second on the watched table; the store's own come on top.
  expect(counted.statements).toBeLessThanOrEqual(90);
});
