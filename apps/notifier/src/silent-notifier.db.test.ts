import { endComponent, raiseComponent } from '@tocsin/alert-service';
import { createTestDatabase } from '@tocsin/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { emptyTables, failure, openWorld, route } from './notifier-world.fixture.ts';
import type { NotifierWorld } from './notifier-world.fixture.ts';

// A detector tells of a silent notifier by itself, and puts what it told into the queue. Here a notifier reads that.
const database = await createTestDatabase();
const notifier = { jobType: 'notifier', targetId: null };
let world: NotifierWorld;
beforeEach(async () => {
  await emptyTables(database);
  world = await openWorld(database, { routes: [route({ firstAtOnce: true })] });
});
afterEach(() => world.close());

/** As the detector does it; both use the same queue. */
const fallsSilent = () =>
  world.service.store.transaction('test', (session) =>
    raiseComponent(world, session, notifier, {
      error: 'No notifier has given a sign of life',
      notes: ['told by itself'],
    }),
  );
const isBack = () =>
  world.service.store.transaction('test', (session) =>
    endComponent(world, session, notifier, 'it gives signs of life again'),
  );
const told = (): readonly string[] =>
  world.sent.flatMap(({ outgoing }) => outgoing.message.items.map(({ title, kind }) => `${title} ${kind}`));

test('a notifier that finds its own silence in the queue gives a sign of life, and tells in one line that it was away', async () => {
  await fallsSilent();
  await world.run();
  expect(told()).toEqual(['Notifier recovered']);
  expect((await world.alerts())[0]).toMatchObject({ state: 'resolved', resolution: { reason: 'retracted' } });
  const beats = await world.service.store.read((session) => session.newestBeats());
  expect(beats.get('notifier')?.ageMs).toBeLessThan(10_000);
  // That a detector sees it as well changes nothing.
  expect(await isBack()).toBe(false);
  await world.advance(3_600_000);
  await world.run();
  expect(told()).toEqual(['Notifier recovered']);
});

test('the same however much waits in between, and when a detector has seen it before', async () => {
  await fallsSilent();
  for (let n = 0; n < 30; n += 1) await world.signal(failure({ targetId: String(n) }));
  await isBack();
  await world.run();
  expect(told().filter((item) => item.startsWith('Notifier'))).toEqual(['Notifier recovered']);
});

test('a notifier that goes on after a sleep, while its digest is open, does the same', async () => {
  await world.signal(failure({ targetId: 'first' }));
  await world.run();
  const before = told();
  await fallsSilent();
  await Promise.all([world.run(), world.notifier.runOnce()]);
  expect(told().slice(before.length)).toEqual(['Notifier recovered']);
  await fallsSilent();
  await world.run();
  expect(told().slice(before.length)).toEqual(['Notifier recovered', 'Notifier recovered']);
});
