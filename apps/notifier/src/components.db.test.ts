import { canaryLateMs, tellCanary, watchDetector } from '@tocsin/alert-service';
import { createTestDatabase } from '@tocsin/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { emptyTables, failure, openWorld, route } from './notifier-world.fixture.ts';
import type { NotifierWorld } from './notifier-world.fixture.ts';
import { openCanary } from './self-watch/open-canary.ts';
import { createSelfWatch, fineForMs } from './self-watch/self-watch.ts';

const database = await createTestDatabase();
const minutes = (count: number): number => count * 60_000;

let world: NotifierWorld;
beforeEach(async () => {
  await emptyTables(database);
  const canaries = route({
    name: 'tocsin_canary',
    match: { source: ['tocsin'], jobType: ['canary'] },
    channels: ['tocsin_canary'],
    windowMs: 0,
  });
  world = await openWorld(database, { routes: [route(), canaries], channels: ['email', 'chat'] });
});
afterEach(() => world.close());

const beat = () =>
  world.service.store.transaction('test', (session) => session.beat('detector', 'here:1', { tables: [] }));
const look = (upMs = 0) => watchDetector(world.service, upMs);
const titles = (): readonly string[] =>
  world.sent.flatMap(({ channel, outgoing }) =>
    outgoing.message.items.map(({ title, kind }) => `${channel} ${title} ${kind}`),
  );

test('a silent detector is told at once, once, over all notifiers, until it beats again', async () => {
  await beat();
  expect(await look()).toBe('fine');
  await world.advance(59_000);
  expect(await look()).toBe('fine');
  await world.advance(2_000);
  expect((await Promise.all([look(), look(), look()])).toSorted()).toEqual(['known', 'known', 'new']);
  await world.run();
  expect(titles()).toEqual(['email Detector new']);
  expect(world.sent[0]?.outgoing.message.items[0]?.causes[0]?.error).toContain('No detector has given a sign of life');
  expect((await world.alerts())[0]).toMatchObject({ key: 'job/tocsin/detector', source: 'tocsin' });
  await world.advance(minutes(60));
  expect(await look()).toBe('known');
  await beat();
  expect((await Promise.all([look(), look()])).toSorted()).toEqual(['back', 'fine']);
  await world.run();
  expect(titles()).toEqual(['email Detector new', 'email Detector resolved']);
  expect((await world.alerts())[0]).toMatchObject({ state: 'resolved' });
  // And the next time again.
  await world.advance(61_000);
  expect(await look()).toBe('new');
});

test('one that was seen to be alive is still missed, and an alert that another notifier left behind ends five minutes later', async () => {
  let nowMs = 0;
  const watch = createSelfWatch({ service: world.service, deadmanUrl: null, canary: null, monotonicMs: () => nowMs });
  await beat();
  expect(await watch.watchDetectorNow()).toBe('fine');
  await world.advance(61_000);
  // Another notifier sees the silence, tells of it and dies, before this one looks.
  expect(await look()).toBe('new');
  await beat();
  nowMs += fineForMs - 1;
  expect(await watch.watchDetectorNow()).toBe('fine');
  nowMs += 1;
  expect(await watch.watchDetectorNow()).toBe('back');
  await world.advance(61_000);
  expect(await watch.watchDetectorNow()).toBe('new');
  expect(await watch.watchDetectorNow()).toBe('known');
  await beat();
  expect(await watch.watchDetectorNow()).toBe('back');
});

test('without any detector ever, twice the time is given from the start', async () => {
  expect(await look(119_000)).toBe('fine');
  expect(await look(120_000)).toBe('new');
  await world.run();
  expect(world.sent[0]?.outgoing.message.items[0]?.causes[0]?.error).toContain('No detector has ever run');
});

test('a broken first channel does not keep what Tocsin says of itself', async () => {
  world.script.set('email', () => ({ outcome: 'rejected', reason: 'bad-request', status: 400, detail: 'no' }));
  await look(minutes(10));
  await world.run();
  expect(titles()).toEqual(['email Detector new', 'chat Detector new']);
});

test('a canary travels from the table to its files, is measured, and ends; nobody else hears of it', async () => {
  const canary = openCanary(database.pool, minutes(60));
  const selfWatch = createSelfWatch({ service: world.service, deadmanUrl: null, canary });
  await selfWatch.sendCanaryNow();
  // Another notifier, or this one after a restart.
  await selfWatch.sendCanaryNow();
  const { rows } = await database.pool.query<{ id: string; finished_at: string }>(
    "select id, finished_at from tocsin.canary_jobs where status = 'failed'",
  );
  expect(rows).toHaveLength(1);
  await selfWatch.watchCanariesNow();
  expect(selfWatch.status().canaryTookMs).toBeNull();

  // What the detector makes of the row.
  await world.signal(
    failure({
      table: 'tocsin_canary',
      jobId: rows[0]!.id,
      source: 'tocsin',
      jobType: 'canary',
      targetId: null,
      failedAt: rows[0]!.finished_at,
    }),
  );
  await world.run();
  expect(world.sent.map(({ channel }) => channel)).toEqual(['tocsin_canary']);
  await selfWatch.watchCanariesNow();
  expect(selfWatch.status().canaryTookMs).toBeGreaterThan(0);
  const after = await database.pool.query('select status from tocsin.canary_jobs');
  expect(after.rows).toEqual([{ status: 'succeeded' }]);
});

test('a canary that does not arrive is told to people, on their routes, and so is that the next one did', async () => {
  const selfWatch = createSelfWatch({
    service: world.service,
    deadmanUrl: null,
    canary: openCanary(database.pool, 1),
  });
  const age = (ms: number) =>
    database.pool.query("update tocsin.canary_jobs set created_at = created_at - $1 * interval '1 millisecond'", [ms]);
  await selfWatch.sendCanaryNow();
  await age(canaryLateMs + 1_000);
  await selfWatch.watchCanariesNow();
  await selfWatch.watchCanariesNow();
  await world.run();
  expect(titles()).toEqual(['email Canary new']);
  await selfWatch.sendCanaryNow();
  await selfWatch.watchCanariesNow();
  // The next one is on its way, which says nothing yet.
  await world.run();
  expect((await world.alerts()).map(({ state }) => state)).toEqual(['notified']);
  expect(await tellCanary(world.service, null)).toBe('back');
  await world.run();
  expect(titles()).toEqual(['email Canary new', 'email Canary resolved']);
});
