import { randomUUID } from 'node:crypto';
import { createPostgresStore } from '@tocsin/event-store';
import { findMapping, inspectTable, readFailures } from '@tocsin/job-sources';
import { alertModelVersion, evolveAlert } from '@tocsin/alert-model';
import { createTestDatabase, insertFailedResearchJob, insertResearchJob } from '@tocsin/testing';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { failure, openCliWorld, runForTest } from './cli-world.fixture.ts';
import type { Finding } from './doctor/finding.ts';

const database = await createTestDatabase();
const empty = await createTestDatabase({ empty: true });
const world = await openCliWorld(database);
afterAll(() => world.close());

beforeEach(async () => {
  await database.pool.query(
    'delete from public.research_jobs; delete from tocsin.outcomes; delete from tocsin.quarantine; delete from tocsin.heartbeats',
  );
});

const examine = async (
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number; readonly findings: readonly Finding[] }> => {
  const { code, out } = await runForTest(['doctor', '--json'], {
    env: { DATABASE_URL: database.connectionString, ...env },
  });
  return { code, findings: (JSON.parse(out) as { findings: Finding[] }).findings };
};
const of = (findings: readonly Finding[], check: string): readonly Finding[] =>
  findings.filter((finding) => finding.check === check);
const store = createPostgresStore({ pool: database.pool, foldAlert: evolveAlert, modelVersion: alertModelVersion });

test('where all is well it says so, check by check, and exits 0', async () => {
  await store.transaction('test.beat', (session) =>
    session.beat('detector', 'test', {
      tables: [{ table: 'research_jobs', cursor: '2026-03-02T03:00:00.000000Z', problem: null }],
    }),
  );
  await store.transaction('test.beat', (session) => session.beat('notifier', 'test', {}));
  const { code, findings } = await examine();
  expect(findings.filter(({ status }) => status === 'fail')).toEqual([]);
  expect(code).toBe(0);
  for (const check of [
    'database',
    'clock',
    'schema',
    'queue schema',
    'privileges',
    'table',
    'detector',
    'notifier',
    'failures',
    'signals',
    'quarantine',
    'queue',
    'dead letters',
    'deliveries',
  ])
    expect([check, of(findings, check)[0]?.status]).toEqual([check, 'ok']);
  const { out } = await world.tocsin('doctor');
  expect(out).toMatch(/^ok {4}failures +0 unaccounted of 0 final failures/m);
});

test('G1: a failure that nobody has recorded is found by anti-join, and exits 1', async () => {
  await insertResearchJob(database.pool, { status: 'failed', attempts: 1, max_attempts: 3 });
  expect(of((await examine()).findings, 'failures')).toMatchObject([{ status: 'ok' }]);
  const id = await insertFailedResearchJob(database.pool);
  const { code, findings } = await examine();
  expect(code).toBe(1);
  expect(of(findings, 'failures')).toMatchObject([
    { status: 'fail', message: expect.stringContaining(id), cure: expect.stringContaining('npx tocsin detector') },
  ]);
});

test('a running detector is given time to record what has just happened', async () => {
  await store.transaction('test.beat', (session) => session.beat('detector', 'test', {}));
  await insertFailedResearchJob(database.pool);
  const examined = examine();
  // What the detector and the notifier would do, with the detector's own reading of the row.
  const mapping = findMapping('research_jobs');
  if (mapping === undefined) throw new Error('no mapping');
  const { source } = await inspectTable(database.pool, mapping, {
    name: 'research_jobs',
    table: 'public.research_jobs',
  });
  const { rows } = await database.pool.query<{ id: string }>('select id from public.research_jobs');
  if (source === null) throw new Error('no source');
  await world.signal(
    ...(await readFailures(
      database.pool,
      source,
      rows.map(({ id }) => id),
    )),
  );
  expect(of((await examined).findings, 'failures')).toMatchObject([
    { status: 'ok', message: expect.stringContaining('0 unaccounted of 1') },
  ]);
});

test('a signal that nobody deals with is found', async () => {
  await database.pool.query(
    `insert into tocsin.outcomes (id, job_table, job_id, kind, failed_at, signalled_at) values ($1, 'research_jobs', '4711', 'failed', now(), now() - interval '1 hour')`,
    [randomUUID()],
  );
  const { code, findings } = await examine();
  expect(code).toBe(1);
  expect(of(findings, 'signals')).toMatchObject([{ status: 'fail', message: expect.stringContaining('4711') }]);
});

test('what is in quarantine, and who is silent, is worth a warning', async () => {
  await world.signal({ ...failure(), attempts: 'three' });
  await store.transaction('test.beat', (session) => session.beat('notifier', 'gone', {}));
  await database.pool.query(`delete from tocsin.heartbeats where instance <> 'gone'`);
  await database.pool.query(`update tocsin.heartbeats set beat_at = now() - interval '5 minutes'`);
  const { findings } = await examine();
  expect(of(findings, 'quarantine')).toMatchObject([{ status: 'warn' }]);
  expect(of(findings, 'detector')).toMatchObject([{ status: 'warn', message: 'it has never run here' }]);
  expect(of(findings, 'notifier')).toMatchObject([
    { status: 'warn', message: expect.stringMatching(/^silent for 5 min/) },
  ]);
});

test('a table the detector cannot read, or that lacks an index, comes with its cure', async () => {
  await store.transaction('test.beat', (session) =>
    session.beat('detector', 'test', {
      tables: [{ table: 'research_jobs', cursor: null, problem: 'permission denied' }],
    }),
  );
  await database.pool.query('drop index public.research_jobs_failures');
  const { code, findings } = await examine();
  await database.pool.query(
    `create index research_jobs_failures on public.research_jobs (updated_at, id) where status in ('failed', 'dead')`,
  );
  expect(code).toBe(1);
  expect(of(findings, 'cursor')).toMatchObject([
    { status: 'fail', message: expect.stringContaining('permission denied') },
  ]);
  expect(of(findings, 'table')).toContainEqual(
    expect.objectContaining({ status: 'warn', cure: expect.stringContaining('create index concurrently') }),
  );
});

test('a jobs database that cannot be reached keeps the other checks from nothing', async () => {
  const { code, findings } = await examine({ JOBS_DATABASE_URL: 'postgres://me:hush-hush@127.0.0.1:1/jobs' });
  expect(code).toBe(1);
  expect(of(findings, 'table')).toMatchObject([{ status: 'fail', message: expect.stringContaining('127.0.0.1:1') }]);
  expect(of(findings, 'deliveries')).toHaveLength(1);
  expect(JSON.stringify(findings)).not.toContain('hush-hush');
});

test('a database that was never migrated is told to migrate; migrate does it, and check tells the difference', async () => {
  const env = { DATABASE_URL: empty.connectionString };
  const before = await examine(env);
  expect(before.code).toBe(1);
  expect(of(before.findings, 'schema')).toMatchObject([{ status: 'fail', cure: 'run: npx tocsin migrate' }]);

  const behind = await runForTest(['migrate', '--check'], { env });
  expect(behind).toMatchObject({ code: 1, out: expect.stringContaining('pending 0001_create_event_log') });
  expect(await runForTest(['alerts', 'list'], { env })).toMatchObject({
    code: 1,
    err: expect.stringContaining('npx tocsin migrate'),
  });

  expect(await runForTest(['migrate'], { env })).toMatchObject({
    code: 0,
    out: expect.stringContaining('applied 0001_create_event_log'),
  });
  expect(JSON.parse((await runForTest(['migrate', '--check', '--json'], { env })).out)).toMatchObject({
    ok: true,
    state: 'current',
    pending: [],
  });
  expect(await runForTest(['migrate'], { env })).toMatchObject({
    code: 0,
    out: expect.stringContaining('Nothing was pending'),
  });
});
