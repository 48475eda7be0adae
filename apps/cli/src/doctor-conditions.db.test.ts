import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OutcomeId, alertModelVersion, evolveAlert } from '@tocsin/alert-model';
import { createPostgresStore } from '@tocsin/event-store';
import { createTestDatabase, createTestRole, insertResearchJob } from '@tocsin/testing';
import { beforeEach, expect, test } from 'vitest';
import { emptyFolder, failure, runForTest } from './cli-world.fixture.ts';
import type { Finding } from './doctor/finding.ts';

const database = await createTestDatabase();
const janitor = await createTestRole(database, 'janitor');
const store = createPostgresStore({ pool: database.pool, foldAlert: evolveAlert, modelVersion: alertModelVersion });

beforeEach(async () => {
  await database.pool.query(
    'delete from public.research_jobs; delete from tocsin.outcomes; delete from tocsin.held_failures; delete from tocsin.repairs',
  );
});

/** What the doctor finds under one name, with a configuration. */
async function findings(
  check: string,
  yaml = '',
  env: Readonly<Record<string, string>> = {},
): Promise<readonly Finding[]> {
  const cwd = emptyFolder();
  writeFileSync(join(cwd, 'tocsin.yaml'), `version: 1\n${yaml}`);
  const { out } = await runForTest(['doctor', '--json'], {
    env: { DATABASE_URL: database.connectionString, ...env },
    cwd,
  });
  return (JSON.parse(out) as { findings: Finding[] }).findings.filter((finding) => finding.check === check);
}

const newId = () => OutcomeId.parse(randomUUID());
const announce = (kind: string, jobId: string, table = 'research_jobs') =>
  store.transaction('test.announce', (session) =>
    session.announceOutcomes([
      {
        id: newId(),
        table,
        jobId,
        kind,
        failedAt: new Date(Date.now() - 7_200_000).toISOString(),
        subject: { source: 'a', jobType: 'x', targetId: null, run: null, facts: {} },
      },
    ]),
  );

test('counts the conditions that hold, and names a table that cannot be judged', async () => {
  expect(await findings('conditions')).toMatchObject([{ status: 'ok', message: 'none holds' }]);
  await announce('stuck', '1');
  await announce('stuck', '2');
  await announce('unhealthy', 'table:heartbeats');
  expect(await findings('conditions')).toMatchObject([
    {
      status: 'ok',
      message: expect.stringMatching(/^3 conditions hold \(2 stuck and 1 unhealthy\), the oldest for 2 h/),
    },
    {
      status: 'warn',
      message: expect.stringContaining('(heartbeats)'),
      cure: expect.stringContaining('research_jobs:table:heartbeats'),
    },
  ]);
});

test('warns of conditions whose table is watched no more', async () => {
  await announce('stalled', '1', 'gone');
  expect(await findings('conditions')).toMatchObject([
    { status: 'ok' },
    { status: 'warn', message: expect.stringContaining('table gone hold') },
  ]);
});

test('a held failure is accounted for, and counted', async () => {
  const signal = failure();
  const { outcomeId: id, table, jobId, kind, failedAt } = signal;
  await store.transaction('test.hold', async (session) => {
    await session.announceOutcomes([{ id, table, jobId, kind, failedAt }]);
    await session.recordOutcomes([{ id, table, jobId, kind, failedAt, alertId: null, disposition: 'held' }]);
    await session.holdFailures([{ key: 'job/apple/x', rule: 'rules[0]', signal }]);
  });
  await database.pool.query(`update tocsin.outcomes set signalled_at = now() - interval '1 hour'`);
  expect(await findings('signals')).toMatchObject([{ status: 'ok' }]);
  expect(await findings('held')).toMatchObject([
    { status: 'ok', message: expect.stringContaining('1 failure of 1 key held below their threshold') },
  ]);
  await database.pool.query('delete from tocsin.held_failures');
  expect(await findings('held')).toMatchObject([
    { status: 'fail', message: expect.stringContaining('no longer kept') },
  ]);
});

test('finds repairs that were begun and never ended', async () => {
  await store.transaction('test.intend', (session) =>
    session.intendRepair({
      id: randomUUID(),
      outcomeId: newId(),
      table: 'research_jobs',
      jobId: '4711',
      action: 'mark_dead',
      restart: null,
    }),
  );
  expect(await findings('repairs')).toMatchObject([{ status: 'ok' }]);
  await database.pool.query(`update tocsin.repairs set intended_at = now() - interval '1 hour'`);
  expect(await findings('repairs')).toMatchObject([
    { status: 'warn', message: expect.stringContaining('mark_dead of research_jobs:4711') },
  ]);
});

test('G1: a success with failed parts that nobody has recorded is unaccounted, too', async () => {
  const id = await insertResearchJob(database.pool, {
    status: 'succeeded',
    finished_at: new Date().toISOString(),
    result: { failed: 60, total: 1_000 },
  });
  expect(await findings('failures')).toMatchObject([
    {
      status: 'fail',
      message: expect.stringMatching(
        new RegExp(`1 failure is not accounted for, of 0 final failures and 1 success in part .*${id}`),
      ),
    },
  ]);
});

test('a condition is no row that failed for good, and does not upset the comparison', async () => {
  const id = await insertResearchJob(database.pool, { status: 'running', heartbeat_at: '2026-01-01T00:00:00Z' });
  await announce('stuck', id);
  expect(await findings('failures')).toMatchObject([
    { status: 'ok', message: expect.stringContaining('0 unaccounted of 0') },
  ]);
});

test('warns when rows are deleted sooner than they are compared', async () => {
  const jobs = (more: string) => `jobs: [{ name: research_jobs, table: public.research_jobs, retention: 60s${more} }]`;
  expect(await findings('retention')).toEqual([]);
  expect(await findings('retention', jobs(', reconcile: 15s'))).toMatchObject([{ status: 'ok' }]);
  expect(await findings('retention', jobs(''))).toMatchObject([
    {
      status: 'warn',
      message: expect.stringContaining('deleted after 1 min'),
      cure: expect.stringContaining('below 1 min'),
    },
  ]);
});

test('says what a custom mapping lacks', async () => {
  const jobs = 'jobs: [{ name: own, table: public.research_jobs, adapter: custom, columns: { id: id } }]';
  expect(await findings('table', jobs)).toMatchObject([
    { status: 'fail', message: expect.stringMatching(/where job_type is.*where status is/) },
  ]);
});

const acting = 'rules: [{ match: {}, on_stuck: requeue }]';

test('checks that the janitor may do what the rules say, column by column', async () => {
  const env = { JANITOR_DATABASE_URL: janitor.connectionString };
  expect(await findings('janitor', '', env)).toEqual([]);
  expect(await findings('janitor', acting, env)).toMatchObject([{ status: 'fail' }]);
  await janitor.grant('janitor.sql', { schema: 'public', table: 'research_jobs' });
  expect(await findings('janitor', acting, env)).toMatchObject([
    { status: 'ok', message: `${janitor.name} may repair stuck jobs of research_jobs` },
  ]);
  await database.pool.query(`revoke update (status) on public.research_jobs from "${janitor.name}"`);
  expect(await findings('janitor', acting, env)).toMatchObject([
    {
      status: 'fail',
      message: expect.stringContaining('update (status) on "public"."research_jobs"'),
      cure: expect.stringContaining('janitor.sql'),
    },
  ]);
});

test('refuses a janitor whose connection leads to another database', async () => {
  const elsewhere = new URL(database.connectionString);
  elsewhere.pathname = '/postgres';
  expect(await findings('janitor', acting, { JANITOR_DATABASE_URL: elsewhere.href })).toMatchObject([
    { status: 'fail', message: expect.stringContaining('leads to another database') },
  ]);
});
