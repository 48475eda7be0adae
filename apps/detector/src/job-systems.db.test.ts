import { createTestDatabase } from '@tocsin/testing';
import { Logger, makeWorkerUtils, runMigrations, runOnce } from 'graphile-worker';
import type { TaskList, WorkerUtils } from 'graphile-worker';
import { PgBoss } from 'pg-boss';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { killWorkerInJob } from '../../../libs/job-sources/src/adapters/killed-worker.fixture.ts';
import { createDetectorBench, sorted, watched } from './detector.fixture.ts';

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
  const workOff = async (): Promise<void> => {
    await runOnce({ connectionString, logger, noHandleSignals: true, taskList: tasks });
    // It may return before the end of the last job is written down.
    await vi.waitFor(async () =>
      expect((await pool.query('select id from graphile_worker.jobs where locked_at is not null')).rows).toEqual([]),
    );
  };
  await workOff();
  await tellsExactly([`worker failed ${broken}`]);
  await utils.rescheduleJobs([flaky], { runAt: new Date(Date.now() - 1_000) });
  await workOff();
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
  await workOff();
  await tellsExactly([`worker failed ${broken}`, `worker dead ${last}`]);
});
