import type { TimeWindow } from '@tocsin/alert-model';
import { createTestDatabase } from '@tocsin/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { emptyTables, failure, openWorld, route, success } from './notifier-world.fixture.ts';
import type { NotifierWorld } from './notifier-world.fixture.ts';

const database = await createTestDatabase();
const minutes = (count: number): number => count * 60_000;

let world: NotifierWorld;
const open = async (
  ...args: Parameters<typeof openWorld> extends [unknown, ...infer Rest] ? Rest : never
): Promise<NotifierWorld> => {
  world = await openWorld(database, ...args);
  return world;
};

beforeEach(() => emptyTables(database));
afterEach(() => world.close());

/** Minutes of the day, in UTC, from now on; over midnight where it must be. */
const quiet = (fromMinutes: number, toMinutes: number): TimeWindow => {
  const now = new Date();
  const minuteOf = (plus: number): number => (now.getUTCHours() * 60 + now.getUTCMinutes() + plus + 1_440) % 1_440;
  return { days: [], fromMinute: minuteOf(fromMinutes), toMinute: minuteOf(toMinutes), timeZone: 'UTC' };
};
const rules = [{ name: 'rules[0]', match: { jobType: ['rebuild_index'] }, severity: 'critical' as const }];
const told = (): readonly string[] =>
  world.sent.flatMap(({ outgoing }) => outgoing.message.items.map(({ kind, jobType }) => `${jobType} ${kind}`));

test('what fails in quiet hours is told when they are over, in one digest; what is critical is told at once', async () => {
  await open({ rules, routes: [route({ windowMs: 0, quietHours: [quiet(-60, 120)] })] });
  await world.signal(failure());
  await world.signal(failure({ targetId: 'albums' }));
  await world.run();
  expect(world.sent).toEqual([]);
  expect((await world.alerts())[0]).toMatchObject({ state: 'batched', next: { action: 'digest' } });
  await world.signal(failure({ jobType: 'rebuild_index' }));
  await world.run();
  expect(told()).toEqual(['rebuild_index new']);
  expect(world.sent[0]?.outgoing.message.purpose).toBe('urgent');
  await world.advance(minutes(60));
  await world.run();
  expect(world.sent).toHaveLength(1);
  await world.advance(minutes(61));
  await world.run();
  expect(world.sent).toHaveLength(2);
  expect(world.sent[1]?.outgoing.message.totals).toMatchObject({ alerts: 2 });
});

test('what failed and recovered in quiet hours is one line when they are over', async () => {
  await open({ routes: [route({ windowMs: 0, quietHours: [quiet(-60, 120)] })] });
  await world.signal(failure());
  await world.run();
  await world.signal(success({ finishedAt: new Date(Date.now() + minutes(1)).toISOString() }));
  await world.run();
  await world.advance(minutes(121));
  await world.run();
  expect(told()).toEqual(['refresh_catalog recovered']);
});

test('a window that would end in quiet hours ends with them, and what is critical does not wait with it', async () => {
  await open({ rules, routes: [route({ quietHours: [quiet(5, 120)] })] });
  await world.signal(failure());
  await world.run();
  await world.signal(failure({ jobType: 'rebuild_index' }));
  await world.run();
  await world.advance(minutes(15));
  await world.run();
  expect(told()).toEqual(['rebuild_index new']);
  await world.advance(minutes(106));
  await world.run();
  expect(told()).toEqual(['rebuild_index new', 'refresh_catalog new']);
});

test('the first news of an alert goes at once where the route says so; what follows waits for the window', async () => {
  await open({ routes: [route({ firstAtOnce: true })] });
  await world.signal(failure());
  await world.run();
  expect(told()).toEqual(['refresh_catalog new']);
  await world.signal(failure());
  await world.signal(failure());
  await world.run();
  expect(world.sent).toHaveLength(1);
  await world.advance(minutes(15));
  await world.run();
  expect(told()).toEqual(['refresh_catalog new', 'refresh_catalog again']);
  expect(world.sent[1]?.outgoing.message.items).toMatchObject([{ failures: 2 }]);
});

test('a route is only for alerts that open in its hours', async () => {
  await open({
    routes: [
      route({ windowMs: 0 }),
      route({ name: 'night', match: { during: [quiet(60, 120)] }, channels: ['oncall'], windowMs: 0 }),
    ],
  });
  await world.signal(failure());
  await world.run();
  expect(world.sent.map(({ channel }) => channel)).toEqual(['email']);
  await world.advance(minutes(90));
  await world.signal(failure(), failure({ targetId: 'albums' }));
  await world.run();
  expect(world.sent.filter(({ channel }) => channel === 'oncall')).toMatchObject([
    { outgoing: { message: { items: [{ targetId: 'albums', kind: 'new' }], totals: { alerts: 1 } } } },
  ]);
});
