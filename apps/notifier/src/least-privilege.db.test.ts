import { addSilence, audit, catchUp, refreshModels, watchDetector } from '@tocsin/alert-service';
import { endCanaries, readCanaries } from '@tocsin/event-store';
import { createLogger, createPool } from '@tocsin/runtime';
import { createTestDatabase, createTestRole } from '@tocsin/testing';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { forgetOldRecords } from './forget-old-records.ts';
import { failure, openWorld, success } from './notifier-world.fixture.ts';
import { openCanary } from './self-watch/open-canary.ts';

const database = await createTestDatabase();
const role = await createTestRole(database, 'notifier');
await role.grant('notifier.sql');
const pool = createPool({
  connectionString: role.connectionString,
  max: 4,
  applicationName: 'least privilege',
  onError: () => {},
});
afterAll(() => pool.end());

test('the role of docs/roles/notifier.sql is enough from a failure to the message of its recovery, and for tidying up', async () => {
  const world = await openWorld({ connectionString: role.connectionString, pool });
  onTestFinished(() => world.close());
  const failed = failure();
  await world.signal(failed);
  await world.run();
  await world.advance(3_600_000);
  await world.run();
  await world.signal(success({ finishedAt: new Date(Date.parse(failed.failedAt) + 1_000).toISOString() }));
  await world.run();
  await world.advance(3_600_000);
  await world.run();
  expect(world.sent).toHaveLength(2);
  expect(await world.alerts()).toMatchObject([{ state: 'resolved' }]);
  await database.pool.query("update tocsin.outcomes set recorded_at = now() - interval '90 days'");
  const config = { retention: { outcomesMs: 1, deliveriesMs: 1 }, jobs: [] };
  await forgetOldRecords(pool, config, createLogger({ level: 'silent', name: 'test' }));
  expect((await database.pool.query('select 1 from tocsin.outcomes')).rows).toEqual([]);
});

test('it is enough for silences, and for Tocsin to watch itself', async () => {
  const world = await openWorld({ connectionString: role.connectionString, pool });
  onTestFinished(() => world.close());
  const match = { source: ['apple'] };
  const added = await addSilence(world.service, {
    match,
    by: 'night shift',
    reason: null,
    end: { until: 'span', ms: 60_000 },
    startsAt: null,
  });
  expect(added).toMatchObject({ done: true });
  await refreshModels(world.service);
  await catchUp(world.service);
  expect(await audit(world.service)).toMatchObject({ problems: expect.any(Array) });
  expect(await watchDetector(world.service, 3_600_000)).toBe('new');
  const canary = openCanary(pool, 3_600_000);
  expect(await canary.send()).toBe(true);
  expect(await canary.look()).toMatchObject([{ tookMs: null }]);
  await endCanaries(pool, [(await readCanaries(pool, { table: 'none', channel: 'none', limit: 1 }))[0]?.id ?? '']);
});

test('it cannot change the log, change a table, or read jobs', async () => {
  for (const statement of [
    "update tocsin.events set type = 'Other'",
    'delete from tocsin.events',
    'truncate tocsin.events',
    'alter table tocsin.events disable trigger all',
    "update tocsin.migrations set name = 'other'",
    'drop table tocsin.alerts',
    'create table tocsin.mine (id integer)',
    'create table pgboss.mine (id integer)',
    'truncate pgboss.job',
    'select * from public.research_jobs',
  ])
    await expect(pool.query(statement), statement).rejects.toMatchObject({ code: '42501' });
});
