import type { Queryable } from '@tocsin/runtime';
import { Logger, makeWorkerUtils, run, runMigrations, runOnce } from 'graphile-worker';
import type { TaskList, WorkerUtils } from 'graphile-worker';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { watchAdapter } from '../adapter.fixture.ts';
import { customiseMapping } from '../customise-mapping.ts';
import { inspectTable } from '../inspect-table.ts';
import { graphileWorkerMapping } from './graphile-worker-mapping.ts';
import { killWorkerInJob } from './killed-worker.fixture.ts';
import { lookForVanished } from './look-for-vanished.ts';
import { failureScans, planOf } from './query-plan.fixture.ts';
import { asReader } from './read-only-role.fixture.ts';
import type { VanishedWorkMemory } from './vanished-work.ts';
import { watchingReads } from './watching-reads.fixture.ts';

const watched = await watchAdapter(graphileWorkerMapping, 'select 1');
const { pool, connectionString } = watched;
const logger = new Logger(() => () => {});
let utils: WorkerUtils;

beforeAll(async () => {
  await runMigrations({ connectionString, logger });
  utils = await makeWorkerUtils({ connectionString, logger });
});
beforeEach(() => pool.query('delete from graphile_worker._private_jobs'));
afterAll(() => utils.release());

/** Works off every job that is due now. `runOnce` may return before the end of the last one is written down. */
const workOff = async (taskList: TaskList): Promise<void> => {
  await runOnce({ connectionString, logger, noHandleSignals: true, taskList });
  await vi.waitFor(async () => expect(await watched.running()).toEqual([]), { timeout: 5_000, interval: 10 });
};

const fail = (message: string) => (): never => {
  throw new Error(message);
};

/** The next try comes now instead of after its delay. */
const hurry = (id: string) => utils.rescheduleJobs([id], { runAt: new Date(Date.now() - 1_000) });

const told = () => watched.scanAll();

it('tells exactly the jobs that ended badly, of all that a worker can do with a job', async () => {
  const add = async (task: string, spec: Parameters<WorkerUtils['addJob']>[2] = {}) =>
    (await utils.addJob(task, {}, spec)).id;
  const once = await add('broken', { maxAttempts: 1 });
  const twice = await add('broken', { maxAttempts: 2 });
  const retries = await add('broken', { maxAttempts: 3 });
  const flaky = await add('flaky', { maxAttempts: 2 });
  const fine = await add('fine');
  const later = await add('fine', { runAt: new Date(Date.now() + 3_600_000) });
  await add('fine', { jobKey: 'canceled', runAt: new Date(Date.now() + 3_600_000) });
  await utils.withPgClient((client) => client.query("select graphile_worker.remove_job('canceled')"));
  let tries = 0;
  const tasks: TaskList = {
    broken: fail('broken'),
    flaky: () => {
      tries += 1;
      if (tries === 1) throw new Error('not yet');
    },
    fine: () => {},
  };
  await workOff(tasks);
  expect((await told()).map(({ jobId }) => jobId)).toEqual([once]);
  for (const id of [twice, flaky]) await hurry(id);
  await workOff(tasks);

  expect(await told()).toMatchObject([
    { jobId: once, kind: 'failed', jobType: 'broken', attempts: 1, maxAttempts: 1, error: 'broken' },
    { jobId: twice, kind: 'failed', jobType: 'broken', attempts: 2, maxAttempts: 2, error: 'broken' },
  ]);
  expect(await watched.reconcile()).toHaveLength(2);
  expect(await watched.job(flaky)).toBeUndefined();
  expect(await watched.job(fine)).toBeUndefined();
  expect(await watched.job(retries)).toMatchObject({ state: 'waiting', status: 'available', attempts: 1 });
  expect(await watched.job(later)).toMatchObject({ state: 'waiting', attempts: 0 });
});

it('knows when a job failed, though no column says so', async () => {
  const before = Date.now();
  const { id } = await utils.addJob('broken', {}, { maxAttempts: 4 });
  for (let n = 1; n < 4; n += 1) {
    await workOff({ broken: fail('broken') });
    await hurry(id);
  }
  await workOff({ broken: fail('broken') });
  const [failure] = await watched.scanAll();
  const failedAt = Date.parse(failure?.failedAt ?? '');
  // Allowing for the difference of the clocks; the delay that is taken off again is exp(4) = 55 s.
  expect(failedAt).toBeGreaterThan(before - 1_000);
  expect(failedAt).toBeLessThan(Date.now() + 1_000);
  expect(failure?.notes).toEqual([]);
  const { rows } = await pool.query('select id from graphile_worker.jobs where updated_at < $1 and run_at > $1', [
    failure?.failedAt,
  ]);
  expect(rows).toHaveLength(1);
});

it('does not tell a job in its last try, nor one whose key was used again while it runs', async () => {
  await utils.addJob('slow', {}, { maxAttempts: 1 });
  await utils.addJob('slow', {}, { jobKey: 'again', maxAttempts: 25 });
  const seen: unknown[] = [];
  await workOff({
    slow: async (_payload, { job, addJob }) => {
      if (job.key === 'again') await addJob('other', {}, { jobKey: 'again' });
      seen.push(await watched.job(job.id), await told());
    },
  });
  expect(seen).toEqual([
    expect.objectContaining({ state: 'running', attempts: 1, maxAttempts: 1 }),
    [],
    expect.objectContaining({ state: 'running', attempts: 25, maxAttempts: 25 }),
    [],
  ]);
  expect(await told()).toEqual([]);
});

it('tells a job that was removed while it ran when that try fails, for it was the last', async () => {
  await utils.addJob('slow', {}, { jobKey: 'gone' });
  await workOff({
    slow: async (_payload, { withPgClient }) => {
      await withPgClient((client) => client.query("select graphile_worker.remove_job('gone')"));
      throw new Error('too late');
    },
  });
  expect(await told()).toMatchObject([{ kind: 'failed', attempts: 25, maxAttempts: 25, error: 'too late' }]);
});

it('tells the job of a worker killed with SIGKILL in its last try once its lock is taken off', async () => {
  const { id } = await utils.addJob('killed', {}, { maxAttempts: 1 });
  const worker = await killWorkerInJob('graphile-worker.fixture.ts', [connectionString, 'killed']);
  expect(await watched.running()).toMatchObject([{ id, state: 'running', status: 'locked' }]);
  expect(await told()).toEqual([]);
  await utils.forceUnlockWorkers([worker]);
  expect(await told()).toMatchObject([{ jobId: id, kind: 'dead', attempts: 1, maxAttempts: 1, error: null }]);
  await workOff({ killed: () => {} });
  expect(await watched.job(id)).toMatchObject({ state: 'dead', status: 'abandoned' });
});

it('tells it as well when the lock has run out after four hours', async () => {
  const { id } = await utils.addJob('killed', {}, { maxAttempts: 1 });
  await killWorkerInJob('graphile-worker.fixture.ts', [connectionString, 'killed']);
  await pool.query("update graphile_worker._private_jobs set locked_at = locked_at - interval '4 h 1 s'");
  expect(await told()).toEqual([]);
  const runner = await run({
    connectionString,
    logger,
    noHandleSignals: true,
    taskList: { killed: () => {} },
    minResetLockedInterval: 10,
    maxResetLockedInterval: 20,
  });
  try {
    await vi.waitFor(async () => expect(await told()).toMatchObject([{ jobId: id, kind: 'dead' }]), { timeout: 5_000 });
  } finally {
    await runner.stop();
  }
});

it('does not tell the job of a killed worker that has tries left, and that succeeds in the next one', async () => {
  const { id } = await utils.addJob('killed', {}, { maxAttempts: 2 });
  const worker = await killWorkerInJob('graphile-worker.fixture.ts', [connectionString, 'killed']);
  await utils.forceUnlockWorkers([worker]);
  expect(await watched.job(id)).toMatchObject({ state: 'waiting', attempts: 1 });
  await workOff({ killed: () => {} });
  expect(await watched.job(id)).toBeUndefined();
  expect(await told()).toEqual([]);
});

it('tells a job that was marked as failed by hand, with the time of that', async () => {
  const { id } = await utils.addJob('stopped', {}, { runAt: new Date(Date.now() + 3_600_000) });
  const before = Date.now();
  await utils.permanentlyFailJobs([id], 'not wanted');
  const [failure] = await watched.scanAll();
  expect(failure).toMatchObject({ jobId: id, kind: 'failed', error: 'not wanted' });
  expect(Math.abs(Date.parse(failure?.failedAt ?? '') - before)).toBeLessThan(2_000);
});

it('tells a job that was taken up again and failed again as another failure', async () => {
  const { id } = await utils.addJob('broken', {}, { maxAttempts: 1 });
  await workOff({ broken: fail('broken') });
  const [first] = await watched.scanAll();
  // By the function: `utils.rescheduleJobs` takes attempts: 0 for no choice.
  await pool.query('select graphile_worker.reschedule_jobs(array[$1::bigint], now(), attempts => 0)', [id]);
  expect(await told()).toEqual([]);
  await workOff({ broken: fail('broken') });
  const [second] = await watched.scanAll();
  expect(second).toMatchObject({ jobId: first?.jobId, attempts: first?.attempts });
  expect(second?.outcomeId).not.toBe(first?.outcomeId);
});

it('keeps a failure the same when its row is touched', async () => {
  const spec = { jobKey: 'nightly', maxAttempts: 1 };
  const { id } = await utils.addJob('broken', {}, spec);
  await workOff({ broken: fail('broken') });
  const [first] = await watched.scanAll();
  // The new job takes the key away from the failed one, which writes to its row.
  const { id: next } = await utils.addJob('broken', {}, spec);
  await utils.rescheduleJobs([id], { priority: 7 });
  await utils.permanentlyFailJobs([id], 'still broken');
  expect(next).not.toBe(id);
  expect(await watched.scanAll()).toMatchObject([{ jobId: id, outcomeId: first?.outcomeId }]);
});

it('sees that work succeeds again, though the row of a success is deleted', async () => {
  const { id: broken } = await utils.addJob('mail', {}, { maxAttempts: 1 });
  await workOff({ mail: fail('broken') });
  const [failure] = await watched.scanAll();
  const works = [{ source: 'default', jobType: 'mail', target: { id: null }, since: failure?.failedAt ?? '' }] as const;
  const source = await watched.source();
  let memory: VanishedWorkMemory = new Map();
  const look = async () => {
    const found = await lookForVanished(pool, source, memory, works);
    memory = found.memory;
    return found.successes.map(({ signal }) => signal.jobId);
  };

  expect(await look()).toEqual([]);
  const { id: next } = await utils.addJob('mail', {}, { maxAttempts: 2 });
  expect(await look()).toEqual([]);
  await workOff({ mail: fail('broken again') });
  // Not due yet, but remembered.
  expect(await look()).toEqual([]);
  await hurry(next);
  await workOff({ mail: async () => expect(await look()).toEqual([]) });
  expect(await look()).toEqual([next]);
  expect(await look()).toEqual([]);
  await pool.query('delete from graphile_worker._private_jobs where id = $1', [broken]);
  expect(await look()).toEqual([]);
  expect((await lookForVanished(pool, source, memory, [])).memory.size).toBe(0);
});

it('takes the named queue as the source', async () => {
  await utils.addJob('broken', {}, { maxAttempts: 1, queueName: 'billing' });
  await workOff({ broken: fail('broken') });
  expect(await watched.scanAll()).toMatchObject([{ source: 'billing', jobType: 'broken', targetId: null }]);
});

it('reads the view with the privileges of its page, and cannot write', async () => {
  await utils.addJob('broken', {}, { maxAttempts: 1 });
  await workOff({ broken: fail('broken') });
  await asReader(watched, 'graphile-worker', async (reader) => {
    const { source, problems } = await watched.inspect({ pool: reader });
    expect(problems).toEqual([]);
    const { rows } = await reader.query(source?.statements.failuresFrom ?? '', ['2000-01-01T00:00:00Z', 10]);
    expect(rows).toMatchObject([{ job_type: 'broken' }]);
    for (const statement of [
      'select * from graphile_worker._private_jobs',
      'delete from graphile_worker._private_jobs',
      "select graphile_worker.add_job('x')",
      'select graphile_worker.complete_jobs(array[1])',
    ])
      await expect(reader.query(statement)).rejects.toThrow(/permission denied/);
  });
});

it('reads the payload from the private tables', async () => {
  await utils.addJob('broken', { chain_started_at: '2026-11-23T03:00:00Z' }, { maxAttempts: 1, queueName: 'catalog' });
  await workOff({ broken: fail('broken') });
  const { source, problems } = await watchPrivateTables(pool);
  expect(problems).toEqual([]);
  const { rows } = await pool.query(source?.statements.failuresFrom ?? '', ['2000-01-01T00:00:00Z', 10]);
  expect(rows).toMatchObject([{ run: '2026-11-23T03:00:00Z', source: 'catalog', job_type: 'broken' }]);
});

it('warns that row security hides the private tables, and reads them by a policy', async () => {
  await utils.addJob('broken', {}, { maxAttempts: 1 });
  await workOff({ broken: fail('broken') });
  await asReader(watched, 'graphile-worker', async (reader) => {
    const found = async (): Promise<number> => {
      const { source } = await watchPrivateTables(reader);
      const { rows } = await reader.query(`${source?.statements.failuresFrom}`, ['2000-01-01T00:00:00Z', 10]);
      return rows.filter(({ id }) => id !== null).length;
    };
    const tables = ['_private_jobs', '_private_tasks', '_private_job_queues'].map((name) => `graphile_worker.${name}`);
    const { rows } = await reader.query<{ readonly role: string }>('select current_user as role');
    const role = rows[0]?.role ?? '';
    await pool.query(`grant select on ${tables.join(', ')} to ${role}`);
    expect((await watchPrivateTables(reader)).warnings.join('\n')).toMatch(/Row-level security is active on/);
    expect(await found()).toBe(0);
    for (const table of tables)
      await pool.query(`create policy tocsin_reads on ${table} for select to ${role} using (true)`);
    expect(await found()).toBe(1);
  });
});

it('names the indexes it lacks, and reads by them once they are there', async () => {
  const { missingIndexes } = await watchPrivateTables(pool);
  expect(missingIndexes.map(({ statement }) => statement)).toEqual([
    'create index concurrently "_private_jobs_tocsin_failures" on "graphile_worker"."_private_jobs" (run_at, id) where locked_at is null and attempts >= max_attempts;',
    'create index concurrently "_private_jobs_tocsin_running" on "graphile_worker"."_private_jobs" (locked_at) where locked_at is not null;',
    'create index concurrently "_private_jobs_tocsin_waiting" on "graphile_worker"."_private_jobs" (run_at) where locked_at is null and attempts < max_attempts;',
  ]);
  for (const { statement } of missingIndexes) await pool.query(statement);
  try {
    const { rows: tasks } = await pool.query<{ readonly id: number }>(
      `insert into graphile_worker._private_tasks (identifier) values ('many') returning id`,
    );
    await pool.query(
      `insert into graphile_worker._private_jobs (task_id, attempts, max_attempts, last_error, run_at, locked_at)
       select $1, case when n % 1000 = 0 then 25 else n % 3 end, 25, case when n % 3 > 0 then 'broken' end,
         now() + (n - 100) * interval '1 s', case when n % 1000 = 1 then now() end
       from generate_series(1, 30000) as n`,
      [tasks[0]?.id],
    );
    await pool.query('vacuum analyze graphile_worker._private_jobs');
    expect((await watchPrivateTables(pool)).missingIndexes).toEqual([]);
    const source = await watched.source();
    const since = '2000-01-01T00:00:00Z';
    const work = { source: 'default', jobType: 'many', since, id: '1' };
    for (const [caption, text, values] of [
      ...failureScans(source, { since, changed: '2026-01-01 00:00:00+00', id: '1' }),
      ...watchingReads(source, work),
    ]) {
      const plan = await planOf(pool, text, values);
      expect(plan, caption).not.toMatch(/Seq Scan on _private_jobs/);
      expect(plan, caption).toMatch(
        /_private_jobs_tocsin_|private_jobs_pkey|jobs_pkey|never executed|One-Time Filter: false/,
      );
    }
  } finally {
    for (const { nameSuffix } of graphileWorkerMapping.indexes)
      await pool.query(`drop index graphile_worker._private_jobs_${nameSuffix}`);
  }
});

it('warns of a migration it was not tested with, and not of the installed one', async () => {
  expect((await watched.inspect()).warnings.join()).not.toMatch(/tested with/);
  await pool.query('insert into graphile_worker.migrations (id) values (99)');
  try {
    expect((await watched.inspect()).warnings.join()).toMatch(/Graphile Worker is 99;.*17 to 20/);
  } finally {
    await pool.query('delete from graphile_worker.migrations where id = 99');
  }
});

it('takes targets out of the payload, where the private tables are watched', async () => {
  await utils.addJob('broken', { account: { id: 'a7' } }, { maxAttempts: 1 });
  await workOff({ broken: fail('broken') });
  const mapping = customiseMapping(graphileWorkerMapping, {
    columns: { target_id: { column: 'payload', path: ['account', 'id'] }, source: { value: 'shop' } },
  });
  const { source } = await inspectTable(pool, mapping, { name: 'jobs', table: 'graphile_worker._private_jobs' });
  const { rows } = await pool.query(source?.statements.failuresFrom ?? '', ['2000-01-01T00:00:00Z', 10]);
  expect(rows).toMatchObject([{ source: 'shop', target_id: 'a7' }]);
});

const watchPrivateTables = (queryable: Queryable) =>
  inspectTable(queryable, graphileWorkerMapping, { name: 'jobs', table: 'graphile_worker._private_jobs' });
