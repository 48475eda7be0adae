import { createTestDatabase } from '@tocsin/testing';
import { Logger, makeWorkerUtils, runMigrations, runOnce } from 'graphile-worker';
import type { TaskList, WorkerUtils } from 'graphile-worker';
import { PgBoss } from 'pg-boss';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { killWorkerInJob } from '../../../libs/job-sources/src/adapters/killed-worker.fixture.ts';
import type { Detector } from './detector.ts';
import { createDetectorBench, sorted, watched } from './detector.fixture.ts';
import { storeOpenAlert } from './open-alert.fixture.ts';

const bench = await createDetectorBench(await createTestDatabase());
/** The jobs' database: the application's own pg-boss and Graphile Worker, as npm has them. */
const { pool, connectionString } = await createTestDatabase({ empty: true });

const boss = new PgBoss({ connectionString, supervise: false, schedule: false, monitorIntervalSeconds: 1 });
const bossErrors: unknown[] = [];
boss.on('error', (error) => bossErrors.push(error));
const logger = new Logger(() => () => {});
let utils: WorkerUtils;

beforeAll(async () => {
  await boss.start();
  await runMigrations({ connectionString, logger });
  utils = await makeWorkerUtils({ connectionString, logger });
});
beforeEach(async () => {
  await bench.clear();
  await pool.query('delete from pgboss.job; delete from graphile_worker._private_jobs');
});
afterAll(async () => {
  await utils.release();
  await boss.stop({ graceful: false });
  if (bossErrors.length > 0) throw new AggregateError(bossErrors, 'pg-boss reported errors.');
});

const tables = [
  watched(pool, { name: 'boss', table: 'pgboss.job', adapter: 'pg_boss', reconcileMs: 100 }),
  watched(pool, { name: 'worker', table: 'graphile_worker.jobs', adapter: 'graphile_worker', reconcileMs: 100 }),
];

/** As a detector that was just restarted, and as one that goes on. */
const poll = async (): Promise<void> => {
  const detector = bench.detector({ tables });
  for (let n = 0; n < 2; n += 1) {
    const { tables: reports } = await detector.pollOnce();
    expect(reports.map(({ problem }) => problem)).toEqual([null, null]);
  }
};

const told = async (): Promise<readonly (string | null)[]> =>
  sorted((await bench.failures()).map(({ table, kind, jobId }) => `${table} ${kind} ${jobId}`));

/** Polls until exactly these have been told. */
const tellsExactly = (expected: readonly string[]) =>
  vi.waitFor(
    async () => {
      await poll();
      expect(await told()).toEqual(sorted(expected));
    },
    { timeout: 15_000, interval: 50 },
  );

const bossState = async (id: string): Promise<string | undefined> =>
  (await pool.query<{ readonly state: string }>('select state::text from pgboss.job where id = $1', [id])).rows[0]
    ?.state;

it('tells exactly the jobs of pg-boss that ended for good, once, whenever it looks', async () => {
  await boss.createQueue('mail', { retryDelay: 0 });
  await boss.createQueue('import', { retryDelay: 0 });
  const send = async (queue: string, options: NonNullable<Parameters<PgBoss['send']>[2]>): Promise<string> =>
    (await boss.send(queue, {}, options)) ?? '';
  const always = await send('mail', { retryLimit: 1 });
  const flaky = await send('mail', { retryLimit: 1 });
  const canceled = await send('mail', { startAfter: 3_600 });
  await boss.cancel('mail', canceled);
  await tellsExactly([]);

  let tries = 0;
  await boss.work('mail', { pollingIntervalSeconds: 0.5 }, async ([job]) => {
    await poll();
    if (job?.id === always) throw new Error('no such mailbox');
    tries += 1;
    if (tries === 1) throw new Error('busy');
  });
  await vi.waitFor(
    async () => expect([await bossState(always), await bossState(flaky)]).toEqual(['failed', 'completed']),
    { timeout: 15_000 },
  );
  await boss.offWork('mail');
  await tellsExactly([`boss failed ${always}`]);

  const killed = await send('import', { retryLimit: 1, expireInSeconds: 1 });
  for (const [left, expected] of [
    ['retry', []],
    ['failed', [`boss failed ${killed}`]],
  ] as const) {
    await killWorkerInJob('pg-boss-worker.fixture.ts', [connectionString, 'import']);
    await tellsExactly([`boss failed ${always}`]);
    await vi.waitFor(
      async () => {
        await boss.supervise();
        expect(await bossState(killed)).toBe(left);
      },
      { timeout: 20_000, interval: 100 },
    );
    await tellsExactly([`boss failed ${always}`, ...expected]);
  }
});

/** Works off the due jobs of Graphile Worker. */
const workOff = async (taskList: TaskList): Promise<void> => {
  await runOnce({ connectionString, logger, noHandleSignals: true, taskList });
  // It may return before the end of the last job is written down.
  await vi.waitFor(async () =>
    expect((await pool.query('select id from graphile_worker.jobs where locked_at is not null')).rows).toEqual([]),
  );
};

it('tells exactly the jobs of Graphile Worker that ended for good, once, whenever it looks', async () => {
  const add = async (task: string, maxAttempts: number): Promise<string> =>
    (await utils.addJob(task, {}, { maxAttempts })).id;
  const broken = await add('broken', 1);
  const flaky = await add('flaky', 2);
  await add('fine', 1);
  const tasks: TaskList = {
    broken: () => Promise.reject(new Error('broken')),
    flaky: async (_payload, { job }) => {
      await poll();
      if (job.attempts === 1) throw new Error('not yet');
    },
    fine: poll,
    killed: poll,
  };
  await workOff(tasks);
  await tellsExactly([`worker failed ${broken}`]);
  await utils.rescheduleJobs([flaky], { runAt: new Date(Date.now() - 1_000) });
  await workOff(tasks);
  await tellsExactly([`worker failed ${broken}`]);

  const last = await add('killed', 1);
  const lastWorker = await killWorkerInJob('graphile-worker.fixture.ts', [connectionString, 'killed']);
  await tellsExactly([`worker failed ${broken}`]);
  await utils.forceUnlockWorkers([lastWorker]);
  // Nothing of the row that the scan goes by has moved: the comparison finds it.
  await tellsExactly([`worker failed ${broken}`, `worker dead ${last}`]);

  await add('killed', 2);
  const worker = await killWorkerInJob('graphile-worker.fixture.ts', [connectionString, 'killed']);
  await utils.forceUnlockWorkers([worker]);
  await workOff(tasks);
  await tellsExactly([`worker failed ${broken}`, `worker dead ${last}`]);
});

describe('an alert about a task of Graphile Worker, which deletes the jobs that succeeded', () => {
  const fine: TaskList = { mail: () => {} };
  const addMail = async (spec: Parameters<WorkerUtils['addJob']>[2] = {}): Promise<string> =>
    (await utils.addJob('mail', {}, spec)).id;
  const look = async (detector: Detector): Promise<readonly string[]> => {
    const { tables: reports } = await detector.pollOnce();
    expect(reports.map(({ problem }) => problem)).toEqual([null, null]);
    return (await bench.successes()).map(({ jobId }) => jobId);
  };
  /** A job that has failed for good, its alert, and a detector that has seen both. */
  const failForGood = async (): Promise<{ readonly failed: string; readonly detector: Detector }> => {
    const failed = await addMail();
    await utils.permanentlyFailJobs([failed], 'no such mailbox');
    const detector = bench.detector({ tables });
    await detector.pollOnce();
    const [failure] = await bench.failures();
    expect(failure?.jobId).toBe(failed);
    await storeOpenAlert(bench, {
      step: { jobType: 'mail', targetId: null },
      source: 'default',
      table: 'worker',
      failedAt: failure?.failedAt ?? '',
    });
    return { failed, detector };
  };

  it('is given the success of a newer job of the task that ran and is gone, once', async () => {
    const { failed, detector } = await failForGood();
    expect(await look(detector)).toEqual([]);
    const next = await addMail();
    expect(await look(detector)).toEqual([]);
    await workOff({ mail: async () => expect(await look(detector)).toEqual([]) });
    expect(await look(detector)).toEqual([next]);
    const [failure] = await bench.failures();
    const [success] = await bench.successes();
    expect(success).toMatchObject({ table: 'worker', source: 'default', jobType: 'mail', targetId: null });
    expect((success?.finishedAt ?? '') > (failure?.failedAt ?? '')).toBe(true);
    // The failed row that somebody tidies away later is no success.
    await utils.completeJobs([failed]);
    expect(await look(detector)).toEqual([next]);
  });

  it('is not given what was taken back before its time, nor a retry that is still to come', async () => {
    const { detector } = await failForGood();
    await addMail({ jobKey: 'tomorrow', runAt: new Date(Date.now() + 86_400_000) });
    const retried = await addMail({ maxAttempts: 2 });
    await look(detector);
    await utils.withPgClient((client) => client.query("select graphile_worker.remove_job('tomorrow')"));
    await workOff({ mail: () => Promise.reject(new Error('not yet')) });
    expect(await look(detector)).toEqual([]);
    await utils.rescheduleJobs([retried], { runAt: new Date(Date.now() - 1_000) });
    expect(await look(detector)).toEqual([]);
    await workOff(fine);
    expect(await look(detector)).toEqual([retried]);
  });

  it('takes a due job that somebody removes before it ran for a success: the limit of what can be seen', async () => {
    const { detector } = await failForGood();
    const removed = await addMail({ jobKey: 'now' });
    await look(detector);
    await utils.withPgClient((client) => client.query("select graphile_worker.remove_job('now')"));
    expect(await look(detector)).toEqual([removed]);
  });

  it('loses only time when the detector is restarted between two looks', async () => {
    const { detector } = await failForGood();
    const unseen = await addMail();
    expect(await look(detector)).toEqual([]);
    await workOff(fine);
    // This one has not seen the job, and concludes nothing from a row that it does not know.
    const second = bench.detector({ tables });
    expect(await look(second)).toEqual([]);
    const seen = await addMail();
    expect(await look(second)).toEqual([]);
    const third = bench.detector({ tables });
    expect(await look(third)).toEqual([]);
    await workOff(fine);
    expect(await look(third)).toEqual([seen]);
    // The first one goes on, and sees the end of the job that it knew: told late, not never.
    expect(await look(detector)).toEqual(expect.arrayContaining([seen, unseen]));
  });
});
