import { quoteIdentifier } from '../table-name.ts';
import { PgBoss } from 'pg-boss';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { watchAdapter } from '../adapter.fixture.ts';
import { customiseMapping } from '../customise-mapping.ts';
import { inspectTable } from '../inspect-table.ts';
import { killWorkerInJob } from './killed-worker.fixture.ts';
import { pgBossMapping } from './pg-boss-mapping.ts';
import { failureScans, planOf } from './query-plan.fixture.ts';
import { asReader } from './read-only-role.fixture.ts';
import { watchingReads } from './watching-reads.fixture.ts';

const watched = await watchAdapter(pgBossMapping, 'select 1');
const { pool, connectionString } = watched;

/** Nothing of pg-boss runs by itself but its workers, so that each test decides when timeouts are marked. */
const boss = new PgBoss({
  connectionString,
  supervise: false,
  schedule: false,
  monitorIntervalSeconds: 1,
  maintenanceIntervalSeconds: 1,
});
const errors: unknown[] = [];
boss.on('error', (error) => errors.push(error));

beforeAll(async () => {
  await boss.start();
  await boss.createQueue('letters');
  for (const name of ['mail', 'import']) await boss.createQueue(name, { retryDelay: 0, deadLetter: 'letters' });
  await boss.createQueue('apart', { partition: true, retryLimit: 0 });
});
beforeEach(() => pool.query('delete from pgboss.job'));
afterAll(async () => {
  await boss.stop({ graceful: false });
  if (errors.length > 0) throw new AggregateError(errors, 'pg-boss reported errors.');
});

const told = async () =>
  (await watched.scanAll()).map(({ jobId, kind, jobType, attempts, maxAttempts, error }) => ({
    jobId,
    kind,
    jobType,
    attempts,
    maxAttempts,
    error: error?.split('\n')[0],
  }));

const toldIds = async () => (await told()).map(({ jobId }) => jobId).toSorted();

const send = async (queue: string, options: NonNullable<Parameters<PgBoss['send']>[2]> = {}): Promise<string> => {
  const id = await boss.send(queue, { account: 'a7' }, options);
  if (id === null) throw new Error(`${queue} took no job.`);
  return id;
};

const stateOf = async (id: string): Promise<string> => (await watched.job(id))?.status ?? 'gone';

const until = (id: string, state: string) =>
  vi.waitFor(async () => expect(await stateOf(id)).toBe(state), { timeout: 10_000, interval: 50 });

/** Takes the next job of the queue and fails it. */
const failNext = async (queue: string, error: object): Promise<void> => {
  const [job] = await boss.fetch(queue);
  if (job === undefined) throw new Error(`${queue} has no job.`);
  await boss.fail(queue, job.id, error);
};

/** Runs pg-boss's supervisor until it has marked the job. */
const superviseUntil = (id: string, state: string) =>
  vi.waitFor(
    async () => {
      await boss.supervise();
      expect(await stateOf(id)).toBe(state);
    },
    { timeout: 20_000, interval: 100 },
  );

it('tells exactly the jobs that ended badly, of all that a worker can do with a job', async () => {
  const tries = new Map<string, number>();
  const always = await send('mail', { retryLimit: 1, singletonKey: 'always' });
  const second = await send('mail', { retryLimit: 2 });
  const never = await send('mail');
  const canceled = await send('mail', { startAfter: 3_600 });
  const later = await send('mail', { startAfter: 3_600 });
  await boss.cancel('mail', canceled);
  await boss.work('mail', { pollingIntervalSeconds: 0.5 }, async ([job]) => {
    const id = job?.id ?? '';
    tries.set(id, (tries.get(id) ?? 0) + 1);
    if (id === always) throw new TypeError('no such mailbox');
    if (id === second && tries.get(id) === 1) throw new Error('busy');
  });
  for (const id of [never, second]) await until(id, 'completed');
  await until(always, 'failed');
  await boss.offWork('mail');

  expect(tries.get(always)).toBe(2);
  expect(await told()).toEqual([
    {
      jobId: always,
      kind: 'failed',
      jobType: 'mail',
      attempts: 2,
      maxAttempts: 2,
      error: 'TypeError: no such mailbox',
    },
  ]);
  expect(await watched.reconcile()).toHaveLength(1);
  expect(await stateOf(canceled)).toBe('cancelled');
  expect(await stateOf(later)).toBe('created');
  expect((await watched.successesOf('pg_boss', 'mail')).map(({ jobId }) => jobId).toSorted()).toEqual(
    [second, never].toSorted(),
  );
});

it('does not tell a job that waits for its next try, and tells it once it has none left', async () => {
  const id = await send('mail', { retryLimit: 1, retryDelay: 3_600 });
  await failNext('mail', new Error('first'));
  expect(await stateOf(id)).toBe('retry');
  expect(await told()).toEqual([]);
  await pool.query('update pgboss.job set start_after = now()');
  await failNext('mail', new Error('second'));
  expect(await told()).toMatchObject([{ jobId: id, attempts: 2, error: 'Error: second' }]);
});

it('tells a job that timed out when the supervisor has marked it, and shows it as running until then', async () => {
  const id = await send('import', { retryLimit: 0, expireInSeconds: 1 });
  await boss.fetch('import');
  expect(await watched.running()).toMatchObject([{ id, state: 'running', attempts: 1 }]);
  expect(await told()).toEqual([]);
  await superviseUntil(id, 'failed');
  expect(await told()).toMatchObject([{ jobId: id, error: 'job timed out' }]);
});

it('tells a job whose worker gave no sign of life any more', async () => {
  const id = await send('import', { retryLimit: 0, heartbeatSeconds: 10 });
  await boss.fetch('import');
  await boss.touch('import', id);
  await pool.query("update pgboss.job set heartbeat_on = heartbeat_on - interval '11 s'");
  const [running] = await watched.running();
  expect(Date.parse(running?.heartbeatAt ?? '')).toBeLessThan(Date.now() - 10_000);
  await superviseUntil(id, 'failed');
  expect(await told()).toMatchObject([{ jobId: id, error: 'job heartbeat timeout' }]);
});

it('tells the job of a worker killed with SIGKILL only when its tries are used up', async () => {
  const id = await send('import', { retryLimit: 1, expireInSeconds: 1 });
  expect(await killWorkerInJob('pg-boss-worker.fixture.ts', [connectionString, 'import'])).toBe(id);
  expect(await stateOf(id)).toBe('active');
  expect(await told()).toEqual([]);
  await superviseUntil(id, 'retry');
  expect(await told()).toEqual([]);
  expect(await killWorkerInJob('pg-boss-worker.fixture.ts', [connectionString, 'import'])).toBe(id);
  await superviseUntil(id, 'failed');
  expect(await told()).toMatchObject([{ jobId: id, attempts: 2, maxAttempts: 2, error: 'job timed out' }]);
});

it('never lacks a job while pg-boss deletes and inserts it', async () => {
  const id = await send('mail', { retryLimit: 0 });
  await boss.fetch('mail');
  const seen = new Set<string>();
  let failed = false;
  const failing = boss.fail('mail', id, new Error('boom')).then(() => {
    failed = true;
  });
  while (!failed) seen.add(await stateOf(id));
  await failing;
  seen.add(await stateOf(id));
  expect([...seen].toSorted()).not.toContain('gone');
  expect(await toldIds()).toEqual([id]);
});

it('tells a job that was taken up again by hand and failed again as another failure', async () => {
  const id = await send('mail', { retryLimit: 0 });
  await failNext('mail', new Error('boom'));
  const [first] = await watched.scanAll();
  await boss.retry('mail', id);
  expect(await told()).toEqual([]);
  await failNext('mail', new Error('boom'));
  const [second] = await watched.scanAll();
  expect(second).toMatchObject({ jobId: id, attempts: 2, maxAttempts: 2 });
  expect(second?.outcomeId).not.toBe(first?.outcomeId);
});

it('tells a job that is failed with retries left, because it went to the dead letter queue at once', async () => {
  const id = await send('mail', { retryLimit: 5 });
  await boss.work('mail', { pollingIntervalSeconds: 0.5, perJobResults: true }, async (jobs) =>
    jobs.map((job) => ({ id: job.id, status: 'deadletter' as const, output: { message: 'poison' } })),
  );
  await until(id, 'failed');
  await boss.offWork('mail');
  expect(await told()).toMatchObject([{ jobId: id, attempts: 1, maxAttempts: 6, error: 'poison' }]);
});

it('does not take the copy in a dead letter queue for a job that nobody picks up', async () => {
  const id = await send('mail', { retryLimit: 0 });
  await failNext('mail', new Error('boom'));
  const late = await send('mail');
  await pool.query(
    "update pgboss.job set created_on = now() - interval '1 day', start_after = now() - interval '1 day'",
  );
  const { rows } = await pool.query<{ readonly id: string }>('select id from pgboss.job where source_id = $1', [id]);
  expect(await watched.job(rows[0]?.id ?? '')).toMatchObject({ state: 'waiting', jobType: 'letters', dueAt: null });
  expect((await watched.waiting(3_600_000)).map((job) => job.id)).toEqual([late]);
});

it('does not take a deferred job, or a child whose parents are not done, for one that nobody picks up', async () => {
  await send('mail', { startAfter: 3_600 });
  await boss.flow([
    { ref: 'parent', name: 'import' },
    { ref: 'child', name: 'mail', dependsOn: ['parent'] },
  ]);
  await pool.query("update pgboss.job set start_after = start_after - interval '10 minutes'");
  expect((await watched.waiting(300_000)).map(({ jobType }) => jobType)).toEqual(['import']);
});

it('reads queues with a table of their own', async () => {
  const id = await send('apart');
  await failNext('apart', new Error('boom'));
  expect(await toldIds()).toEqual([id]);
});

it('reads an error whatever shape the output has', async () => {
  const outputs = [{ message: 'plain' }, { code: 7 }, { value: 'text' }];
  for (const output of outputs) {
    await send('mail', { retryLimit: 0 });
    await failNext('mail', output);
  }
  expect((await told()).map(({ error }) => String(error)).toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
    'plain',
    '{"code": 7}',
    '{"value": "text"}',
  ]);
});

it('reads with the privileges of its page, and cannot write', async () => {
  const id = await send('mail', { retryLimit: 0 });
  await failNext('mail', new Error('boom'));
  await asReader(watched, 'pg-boss', async (reader) => {
    const { source, problems, warnings } = await watched.inspect({ pool: reader });
    expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
    const { rows } = await reader.query(source?.statements.failuresFrom ?? '', ['2000-01-01T00:00:00Z', 10]);
    expect(rows).toMatchObject([{ id, job_type: 'mail' }]);
    for (const statement of [
      "update pgboss.job set state = 'created'",
      'delete from pgboss.job',
      'delete from pgboss.job_common',
      'select * from pgboss.queue',
      "select pgboss.create_queue('mine', '{}')",
    ])
      await expect(reader.query(statement)).rejects.toThrow(/permission denied/);
  });
});

it('warns of a schema version it was not tested with, and not of the installed one', async () => {
  expect((await watched.inspect()).warnings).toEqual([]);
  const { rows } = await pool.query<{ readonly version: number }>('select version from pgboss.version');
  await pool.query('update pgboss.version set version = 99');
  try {
    expect((await watched.inspect()).warnings.join()).toMatch(/schema version of pg-boss is 99;.*34 to 43/);
  } finally {
    await pool.query('update pgboss.version set version = $1', [rows[0]?.version]);
  }
});

it('takes targets out of the data of jobs', async () => {
  await send('mail', { retryLimit: 0 });
  await failNext('mail', new Error('boom'));
  const mapping = customiseMapping(pgBossMapping, {
    columns: { target_id: { column: 'data', path: ['account'] }, source: { value: 'shop' } },
  });
  const { source } = await inspectTable(pool, mapping, { name: 'jobs', table: 'pgboss.job' });
  const { rows } = await pool.query(source?.statements.failuresFrom ?? '', ['2000-01-01T00:00:00Z', 10]);
  expect(rows).toMatchObject([{ source: 'shop', job_type: 'mail', target_id: 'a7' }]);
});

it('reads the table of an older release, without flows, heartbeats and dead letter columns', async () => {
  await pool.query(
    `create table public.old_job as
     select id, name, data, 'failed'::text as state, retry_limit, retry_count, start_after, created_on, started_on,
       completed_on, singleton_key, output from pgboss.job with no data`,
  );
  await pool.query(
    `insert into public.old_job (id, name, state, retry_limit, retry_count, start_after, created_on, started_on, completed_on)
     values (gen_random_uuid(), 'mail', 'failed', 2, 2, now(), now(), now(), now())`,
  );
  const inspection = await inspectTable(pool, pgBossMapping, { name: 'jobs', table: 'public.old_job' });
  expect(inspection.problems).toEqual([]);
  expect(inspection.warnings.join('\n')).toMatch(/heartbeat_on/);
  expect(inspection.source?.hasHeartbeats).toBe(false);
  const { rows } = await pool.query(inspection.source?.statements.failuresFrom ?? '', ['2000-01-01T00:00:00Z', 10]);
  expect(rows).toMatchObject([{ job_type: 'mail', attempts: 3, max_attempts: 3 }]);
});

it('names the indexes on job_common, and reads by them once they are there', async () => {
  const { missingIndexes } = await watched.inspect();
  expect(missingIndexes.map(({ purpose }) => purpose)).toEqual(pgBossMapping.indexes.map(({ purpose }) => purpose));
  expect(missingIndexes[0]?.statement).toBe(
    `create index concurrently "job_common_tocsin_failures" on "pgboss"."job_common" ("completed_on", "id") where "state" in ('failed');`,
  );
  for (const { statement } of missingIndexes) await pool.query(statement);
  try {
    expect((await watched.inspect()).missingIndexes).toEqual([]);
    await pool.query(
      `insert into pgboss.job (name, state, created_on, started_on, completed_on, start_after)
       select 'mail',
         (case when n % 1000 = 0 then 'failed' when n % 1000 = 1 then 'active' when n % 1000 = 2 then 'created' else 'completed' end)::pgboss.job_state,
         at, at, case when n % 1000 in (1, 2) then null else at end, at
       from (select n, now() - n * interval '1 s' as at from generate_series(1, 30000) as n) as numbered`,
    );
    await pool.query('vacuum analyze pgboss.job_common');
    const source = await watched.source();
    const since = '2000-01-01T00:00:00Z';
    const [failed] = (
      await pool.query<{ readonly id: string; readonly changed: string }>(
        "select id, completed_on::text as changed from pgboss.job where state = 'failed' order by completed_on desc limit 1",
      )
    ).rows;
    const row = { changed: failed?.changed ?? '', id: failed?.id ?? '' };
    const work = { source: 'pg_boss', jobType: 'mail', since, id: row.id };
    for (const [caption, text, values] of [
      ...failureScans(source, { since, ...row }),
      ...watchingReads(source, work),
    ]) {
      const plan = await planOf(pool, text, values);
      // The primary key begins with the queue; a read by id goes through it or the index of failures.
      expect(plan, caption).not.toMatch(/Seq Scan on job_common/);
      expect(plan, caption).toMatch(/Index (Only )?Scan|Bitmap Index Scan/);
    }
  } finally {
    for (const { nameSuffix } of pgBossMapping.indexes)
      await pool.query(`drop index pgboss.${quoteIdentifier(`job_common_${nameSuffix}`)}`);
  }
});
