import { createTestDatabase } from '@tocsin/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { emptyTables, failure, openWorld, route } from './notifier-world.fixture.ts';
import type { NotifierWorld } from './notifier-world.fixture.ts';

const database = await createTestDatabase();
const minutes = (count: number): number => count * 60_000;
const hourly = { cron: '0 * * * *', timeZone: 'UTC' };

const worlds: NotifierWorld[] = [];
const open = async (...args: Parameters<typeof openWorld> extends [unknown, ...infer Rest] ? Rest : never) => {
  const world = await openWorld(database, ...args);
  worlds.push(world);
  return world;
};

beforeEach(() => emptyTables(database));
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

test('says at its hours that all is quiet, and what is open, most severe first', async () => {
  const rules = [{ name: 'rules[0]', match: { targetId: ['songs'] }, severity: 'critical' as const }];
  const world = await open({ rules, routes: [route({ windowMs: 0, allQuiet: hourly })] });
  // A route that is new begins with its next time.
  await world.run();
  expect(world.sent).toEqual([]);
  await world.advance(minutes(60));
  await world.run();
  await world.run();
  expect(world.sent.map(({ outgoing }) => outgoing.message.subject)).toEqual(['All quiet']);
  await world.signal(failure({ targetId: 'albums', error: 'disk full' }), failure({ targetId: 'songs' }));
  await world.run();
  expect(world.sent).toHaveLength(2);
  await world.advance(minutes(60));
  await world.run();
  expect(world.sent).toHaveLength(3);
  const { message } = world.sent[2]!.outgoing;
  expect(message).toMatchObject({ subject: 'All quiet, 2 open', purpose: 'heartbeat', followUp: false });
  expect(message.items.map(({ kind, severity }) => [kind, severity])).toEqual([
    ['open', 'critical'],
    ['open', 'error'],
  ]);
  // It tells no news, so nothing changes for the alerts.
  expect((await world.alerts()).map(({ told }) => told.map(({ purpose }) => purpose))).toEqual([
    ['window'],
    ['window'],
  ]);
  const { rows } = await database.pool.query('select state, purpose from tocsin.digests order by opened_at');
  expect(rows).toEqual([
    { state: 'delivered', purpose: 'heartbeat' },
    { state: 'delivered', purpose: 'window' },
    { state: 'delivered', purpose: 'heartbeat' },
  ]);
});

test('is not said while news is on its way, nor twice for hours that were missed, nor by two notifiers', async () => {
  const inHalfAnHour = (new Date().getUTCMinutes() + 30) % 60;
  const routes = [route({ allQuiet: { cron: `${inHalfAnHour} * * * *`, timeZone: 'UTC' } })];
  const clock = { offsetMs: 0 };
  const world = await open({ routes }, {}, clock);
  const other = await open({ routes }, {}, clock);
  const told = (): readonly string[] =>
    [...world.sent, ...other.sent].map(({ outgoing }) => outgoing.message.purpose).toSorted();
  const runBoth = async (): Promise<void> => {
    await Promise.all([world.run(), other.run()]);
  };
  await runBoth();
  await world.advance(minutes(20));
  await world.signal(failure());
  await runBoth();
  // The hour has come, and the digest of the failure is still open.
  await world.advance(minutes(11));
  await runBoth();
  expect(told()).toEqual([]);
  await world.advance(minutes(5));
  await runBoth();
  expect(told()).toEqual(['window']);
  await world.advance(minutes(600));
  await runBoth();
  await runBoth();
  expect(told()).toEqual(['heartbeat', 'window']);
  await world.advance(minutes(60));
  await runBoth();
  expect(told()).toEqual(['heartbeat', 'heartbeat', 'window']);
});

test('goes to the fallback when its channel does not take it', async () => {
  const world = await open({ routes: [route({ fallback: ['outbox'], allQuiet: hourly })] });
  await world.run();
  await world.advance(minutes(60));
  world.answers.push(() => ({ outcome: 'rejected', reason: 'bad-request', status: 400, detail: 'no' }));
  await world.run();
  expect(world.sent.map(({ channel }) => channel)).toEqual(['email', 'outbox']);
});
