import { alertModelVersion, evolveAlert } from '@tocsin/alert-model';
import type { AlertState, FrozenChain, Step } from '@tocsin/alert-model';
import { createPostgresStore } from '@tocsin/event-store';
import { createTestDatabase, insertFailedResearchJob, insertResearchJob } from '@tocsin/testing';
import { beforeEach, expect, it } from 'vitest';
import { createDetectorBench, sorted, watched } from './detector.fixture.ts';
import { storeOpenAlert } from './open-alert.fixture.ts';

const database = await createTestDatabase();
const { pool } = database;
const bench = await createDetectorBench(database);
beforeEach(bench.clear);

/** In microseconds, as the store wants it. */
const at = (minutes: number): string => new Date(Date.now() + minutes * 60_000).toISOString().replace('Z', '000Z');

/** An open alert about a failure an hour ago. */
const openAlert = (step: Step, chain: FrozenChain | null = null): Promise<AlertState> =>
  storeOpenAlert(bench, { step, chain, failedAt: at(-60) });

const succeed = (target_id: string | null, finished_at: string, more: Parameters<typeof insertResearchJob>[1] = {}) =>
  insertResearchJob(pool, { target_id, status: 'succeeded', finished_at, ...more });

it('sends the success that an open alert waits for, once per detector, and no other', async () => {
  await openAlert({ jobType: 'refresh_catalog', targetId: 'songs' });
  await succeed('songs', at(-90));
  await succeed('albums', at(-5));
  const detector = bench.detector();
  await detector.pollOnce();
  expect(await bench.successes()).toEqual([]);
  const jobId = await succeed('songs', at(-5), { payload: { chain_started_at: 'tuesday' } });
  await detector.pollOnce();
  await detector.pollOnce();
  expect(await bench.successes()).toMatchObject([
    { jobId, source: 'apple', jobType: 'refresh_catalog', targetId: 'songs', run: 'tuesday' },
  ]);
});

it('does not send again after a restart what the alert knows already', async () => {
  const alert = await openAlert({ jobType: 'refresh_catalog', targetId: 'songs' });
  await succeed('songs', at(-5));
  await bench.detector().pollOnce();
  const [success] = await bench.successes();
  const known: AlertState = { ...alert, successes: { '': { 'refresh_catalog/songs': success!.finishedAt } } };
  await bench.store.transaction('test', (session) => session.saveAlerts([known]));
  await bench.detector().pollOnce();
  expect(await bench.successes()).toHaveLength(1);
});

it('sends every step of a known chain, whatever target the row of a step without targets names', async () => {
  const steps = [
    { jobType: 'refresh_catalog', targetId: 'songs' },
    { jobType: 'refresh_catalog', targetId: 'albums' },
    { jobType: 'rebuild_index', targetId: null },
  ];
  await openAlert(steps[0]!, { name: 'catalog', steps });
  const payload = { chain_started_at: 'tuesday' };
  await succeed('songs', at(-9), { payload });
  await succeed('albums', at(-8), { payload });
  await succeed('whole', at(-7), { payload, job_type: 'rebuild_index' });
  await bench.detector().pollOnce();
  expect((await bench.successes()).map(({ jobType, targetId, run }) => [jobType, targetId, run])).toEqual([
    ['refresh_catalog', 'songs', 'tuesday'],
    ['refresh_catalog', 'albums', 'tuesday'],
    ['rebuild_index', 'whole', 'tuesday'],
  ]);
});

it('goes round more open alerts than one page holds', async () => {
  const targets = Array.from({ length: 1_100 }, (_, n) => `t${n}`);
  for (const target of targets) await openAlert({ jobType: 'refresh_catalog', targetId: target });
  await pool.query(
    `insert into public.research_jobs (source, job_type, target_id, status, finished_at)
     select 'apple', 'refresh_catalog', target, 'succeeded', now() from unnest($1::text[]) as target`,
    [targets],
  );
  const detector = bench.detector();
  await detector.pollOnce();
  await detector.pollOnce();
  expect(sorted((await bench.successes()).map(({ targetId }) => targetId))).toEqual(sorted(targets));
});

it('costs at most two statements a second when nothing happens, open alerts and old failures included', async () => {
  let statements = 0;
  const counted: typeof pool = {
    ...pool,
    query: (text, values) => {
      statements += 1;
      return pool.query(text, values);
    },
    connect: async () => {
      const client = await pool.connect();
      return {
        release: client.release,
        query: (text, values) => {
          statements += 1;
          return client.query(text, values);
        },
      };
    },
  };
  await openAlert({ jobType: 'refresh_catalog', targetId: 'songs' });
  await insertFailedResearchJob(pool);
  const pollMs = 2_000;
  const pollsMax = 300;
  let nowMs = 0;
  let polls = 0;
  const enough = Promise.withResolvers<void>();
  const detector = bench.detector({
    tables: [watched(counted, { pollMs })],
    store: createPostgresStore({ pool: counted, foldAlert: evolveAlert, modelVersion: alertModelVersion }),
    monotonicMs: () => nowMs,
    // Ten minutes pass in no time; after the first poll, which begins everything, counting begins.
    pause: async (ms, signal) => {
      nowMs += ms;
      polls += 1;
      if (polls === 1) {
        await pool.query("update tocsin.outcomes set disposition = 'recorded', recorded_at = now()");
        statements = 0;
      }
      if (polls <= pollsMax) return;
      enough.resolve();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
  });
  detector.start();
  await enough.promise;
  await detector.stop();
  const perSecond = statements / ((pollsMax * pollMs) / 1_000);
  expect(perSecond).toBeLessThanOrEqual(2);
  expect(perSecond).toBeGreaterThan(0.5);
});

it('looks for successes at least every ten seconds while failures never end', async () => {
  await openAlert({ jobType: 'refresh_catalog', targetId: 'songs' });
  let nowMs = 0;
  const detector = bench.detector({
    tables: [watched(pool, { batch: 1, reconcileMs: 86_400_000 })],
    monotonicMs: () => nowMs,
  });
  await detector.pollOnce();
  await succeed('songs', at(-5));
  const sent: (number | undefined)[] = [];
  for (let seconds = 1; seconds <= 10; seconds += 1) {
    nowMs += 1_000;
    await pool.query(
      `insert into public.research_jobs (source, job_type, target_id, status, attempts, finished_at)
       select 'apple', 'endless', n::text, 'failed', 3, now() from generate_series(1, 50) as n`,
    );
    const [report] = (await detector.pollOnce()).tables;
    expect(report?.more).toBe(true);
    sent.push(report?.successes);
  }
  expect(sent).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
});
