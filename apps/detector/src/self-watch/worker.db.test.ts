import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, loadConfig } from '@tocsin/runtime';
import type { HealthCheck } from '@tocsin/runtime';
import { createTestDatabase, insertFailedResearchJob } from '@tocsin/testing';
import { afterAll, afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createDetectorBench } from '../detector.fixture.ts';
import { openDetector } from '../open-detector.ts';
import type { OpenedDetector } from '../open-detector.ts';
import { detectorHealth } from './detector-health.ts';

const own = await createTestDatabase();
const jobs = await createTestDatabase();
const bench = await createDetectorBench(own);
const directory = await mkdtemp(join(tmpdir(), 'tocsin-worker-'));
afterAll(() => rm(directory, { recursive: true, force: true }));

const log: Readonly<Record<string, unknown>>[] = [];
const opened: OpenedDetector[] = [];
/** A detector of production, on a free port. */
const open = async (env: Readonly<Record<string, string>> = {}): Promise<OpenedDetector> => {
  const detector = await openDetector(
    loadConfig({
      env: {
        DATABASE_URL: own.connectionString,
        JOBS_DATABASE_URL: jobs.connectionString,
        TOCSIN_DETECTOR_PORT: '0',
        ...env,
      },
      cwd: directory,
    }),
    createLogger({
      level: 'info',
      name: 'test',
      destination: { write: (line) => log.push(JSON.parse(line) as Readonly<Record<string, unknown>>) },
    }),
  );
  opened.push(detector);
  return detector;
};
beforeEach(async () => {
  log.length = 0;
  await bench.clear();
  await own.pool.query('truncate tocsin.canary_jobs');
  await jobs.pool.query('truncate public.research_jobs');
});
afterEach(async () => {
  for (const detector of opened.splice(0)) await detector.close();
});

const ask = async (
  { address }: OpenedDetector,
  path: string,
): Promise<{ readonly status: number; readonly checks: readonly HealthCheck[]; readonly text: string }> => {
  const answer = await fetch(`http://127.0.0.1:${address()?.port}${path}`);
  const text = await answer.text();
  return { status: answer.status, text, checks: path === '/metrics' ? [] : JSON.parse(text).checks };
};
const newestBeat = async () =>
  (
    await own.pool.query<{ data: { tables: Readonly<Record<string, unknown>>[] }; age: number }>(
      "select data, extract(epoch from clock_timestamp() - beat_at)::float as age from tocsin.heartbeats where component = 'detector' order by beat_at desc",
    )
  ).rows[0];

it('says that it is fine, and counts what it finds', async () => {
  const detector = await open();
  expect(detector.address()).toBeNull();
  await detector.start();
  await insertFailedResearchJob(jobs.pool, { job_type: 'nightly' });
  await vi.waitUntil(async () => (await bench.failures()).length > 0, { timeout: 20_000 });
  await vi.waitUntil(() => detector.detector.health().every(({ polledAgoMs }) => polledAgoMs !== null), {
    timeout: 20_000,
  });
  expect(await ask(detector, '/healthz')).toMatchObject({
    status: 200,
    checks: [
      { name: 'table research_jobs', ok: true, detail: expect.stringMatching(/^looked at \d+.* ago$/) },
      { name: 'table tocsin_canary', ok: true },
    ],
  });
  expect(await ask(detector, '/readyz')).toMatchObject({
    status: 200,
    checks: [
      { name: 'database' },
      { name: 'table research_jobs' },
      { name: 'table tocsin_canary' },
      { name: 'notifier' },
    ],
  });
  const { text } = await ask(detector, '/metrics');
  expect(text).toContain('tocsin_job_events_total{event="failed",job_type="nightly",status="failed"} 1');
  expect(text).toMatch(/^tocsin_detector_polls_total\{table="research_jobs",result="ok"\} \d+$/m);
  expect(text).toMatch(/^tocsin_detector_last_poll_timestamp_seconds\{table="research_jobs"\} \d/m);
  expect(text).toMatch(/^tocsin_detector_cursor_lag_seconds\{table="research_jobs"\} \d/m);
  expect(text).toContain('process_resident_memory_bytes');
  expect(text).not.toContain('postgres://');
});

it('stays healthy, and is not ready, while a watched table cannot be read; strangers are not told why', async () => {
  const detector = await open({ JOBS_DATABASE_URL: 'postgres://ann:hunter22@127.0.0.1:1/nowhere' });
  await detector.start();
  await vi.waitUntil(async () => (await ask(detector, '/readyz')).status === 503, { timeout: 20_000 });
  const ready = await ask(detector, '/readyz');
  expect(ready.checks).toContainEqual({ name: 'table research_jobs', ok: false, detail: 'the log says what is wrong' });
  expect(ready.text).not.toMatch(/ann|hunter22|127\.0\.0\.1/);
  expect((await ask(detector, '/healthz')).status).toBe(200);
  expect((await ask(detector, '/metrics')).text).toMatch(
    /^tocsin_detector_polls_total\{table="research_jobs",result="failed"\} \d+$/m,
  );
  // It lives all the same, and says what is wrong.
  await vi.waitUntil(async () => (await newestBeat())?.data.tables[0]?.['problem'] !== null, { timeout: 20_000 });
});

it('is woken by a hint in its own database, where no configured table is, and finds a canary before its time', async () => {
  const detector = await open();
  await detector.start();
  await vi.waitUntil(() => log.filter(({ decision }) => decision === 'TableWatched').length === 2, { timeout: 20_000 });
  const listens = async () =>
    (await own.pool.query("select 1 from pg_stat_activity where application_name = 'tocsin-detector-hints'")).rows
      .length;
  await vi.waitUntil(async () => (await listens()) > 0, { timeout: 20_000 });
  await own.pool.query("insert into tocsin.canary_jobs (error) values ('a canary')");
  await own.pool.query('select tocsin.hint()');
  const sentMs = performance.now();
  await vi.waitUntil(async () => (await bench.failures()).length > 0, { timeout: 20_000 });
  // By itself it would have looked half a minute after the last time.
  expect(performance.now() - sentMs).toBeLessThan(10_000);
  expect(await bench.failures()).toMatchObject([
    { table: 'tocsin_canary', source: 'tocsin', jobType: 'canary', targetId: null },
  ]);
  expect((await ask(detector, '/metrics')).text).not.toContain('job_type="canary"');
});

it('watches no canaries that nobody sends', async () => {
  const file = join(directory, 'no-canaries.yaml');
  await writeFile(file, 'version: 1\nself_watch: { canary: off }\nworkers: { detector_port: off }\n');
  const detector = await open({ TOCSIN_CONFIG: file, TOCSIN_DETECTOR_PORT: '' });
  await detector.start();
  expect(detector.address()).toBeNull();
  expect((await detector.detector.pollOnce()).tables.map(({ table }) => table)).toEqual(['research_jobs']);
});

it('refuses a chosen port that is taken, and leaves nothing open', async () => {
  const first = await open();
  await first.start();
  const second = await open({ TOCSIN_DETECTOR_PORT: String(first.address()?.port) });
  await expect(second.start()).rejects.toThrow(/Port \d+ on 127\.0\.0\.1 is taken\. Set TOCSIN_DETECTOR_PORT/);
});

it('gives signs of life between looks that are an hour apart, and none when a loop hangs', async () => {
  let nowMs = 0;
  const hanging = Promise.withResolvers<void>();
  let hang = false;
  const slow = {
    ...jobs.pool,
    query: async (text: string, values?: readonly unknown[]) => {
      if (hang) await hanging.promise;
      return jobs.pool.query(text, values as unknown[]);
    },
  } as typeof jobs.pool;
  const table = { ...bench.table, pool: slow, pollMs: 3_600_000 };
  const waits: (() => void)[] = [];
  const detector = bench.detector({
    tables: [table],
    beatEveryMs: 100,
    monotonicMs: () => nowMs,
    pause: (ms, signal) =>
      new Promise((resolve) => {
        if (ms === 0 || signal.aborted) resolve();
        waits.push(resolve);
        signal.addEventListener('abort', () => resolve());
      }),
  });
  try {
    detector.start();
    await vi.waitUntil(() => waits.length > 0, { timeout: 10_000 });
    const beats = async (): Promise<string> =>
      (await own.pool.query<{ at: string }>('select beat_at::text as at from tocsin.heartbeats')).rows[0]?.at ?? '';
    for (let turn = 0; turn < 3; turn += 1) {
      const before = await beats();
      nowMs += 60_000;
      await vi.waitUntil(async () => (await beats()) !== before, { timeout: 10_000 });
    }
    expect(detectorHealth(detector.health())).toMatchObject([{ ok: true, detail: 'looked at 3 min ago' }]);
    // The next look hangs.
    hang = true;
    for (const wake of waits.splice(0)) wake();
    nowMs += 3_600_000;
    expect(detectorHealth(detector.health())).toMatchObject([{ ok: false, name: 'table research_jobs' }]);
    const last = await beats();
    await expect(vi.waitUntil(async () => (await beats()) !== last, { timeout: 1_000 })).rejects.toThrow();
    hanging.resolve();
    await vi.waitUntil(() => detectorHealth(detector.health()).every(({ ok }) => ok), { timeout: 10_000 });
    nowMs += 1_000;
    await vi.waitUntil(async () => (await beats()) !== last, { timeout: 10_000 });
  } finally {
    hanging.resolve();
    await detector.stop();
  }
});

it('says in its sign of life how long a table has not been read to the end, beyond the pause between looks', async () => {
  let nowMs = 0;
  const table = { ...bench.table, pool: jobs.pool, pollMs: 60_000, batch: 10 };
  const detector = bench.detector({ tables: [table], beatEveryMs: 0, monotonicMs: () => nowMs });
  await detector.pollOnce();
  nowMs += 61_000;
  await detector.pollOnce();
  const lag = async () => (await newestBeat())?.data.tables[0]?.['lagMs'];
  // Written during the look, before it ended: a minute is the pause.
  expect(await lag()).toBe(1_000);
});
