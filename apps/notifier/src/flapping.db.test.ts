import { resolveByHand } from '@tocsin/alert-service';
import { createTestDatabase } from '@tocsin/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { emptyTables, failure, openWorld, route, success } from './notifier-world.fixture.ts';
import type { NotifierWorld } from './notifier-world.fixture.ts';

const database = await createTestDatabase();
const minutes = (count: number): number => count * 60_000;

let world: NotifierWorld;
/** Time that only goes forward, a second for each thing that happens. */
let happened = 0;
const next = (): string => new Date(Date.now() - minutes(30) + (happened += 1) * 1_000).toISOString();

beforeEach(async () => {
  await emptyTables(database);
  happened = 0;
  world = await openWorld(database, {
    flapping: { times: 3, withinMs: minutes(360), holdMs: minutes(60) },
    routes: [route({ windowMs: 0 })],
  });
});
afterEach(() => world.close());

const fail = async (): Promise<void> => {
  await world.signal(failure({ failedAt: next() }));
  await world.run();
};
const succeed = async (): Promise<void> => {
  await world.signal(success({ finishedAt: next() }));
  await world.run();
};
const kinds = (): readonly string[] =>
  world.sent.flatMap(({ outgoing }) => outgoing.message.items.map(({ kind }) => kind));
const openOne = async () => (await world.alerts()).find(({ state }) => state !== 'resolved');
/** Up to the alert that is told as flapping. */
const flap = async (): Promise<void> => {
  for (let turn = 0; turn < 3; turn += 1) {
    await fail();
    await succeed();
  }
  await fail();
};

test('a key that came and went is told once as flapping, then nothing, and its recovery is held', async () => {
  await flap();
  const told = ['new', 'resolved', 'regressed', 'resolved', 'regressed', 'resolved', 'flapping'];
  expect(kinds()).toEqual(told);
  expect(world.sent.at(-1)?.outgoing.message.items).toMatchObject([{ flapping: { count: 4, holdMs: minutes(60) } }]);
  for (let turn = 0; turn < 3; turn += 1) {
    await succeed();
    await fail();
  }
  expect(kinds()).toEqual(told);
  expect(await openOne()).toMatchObject({ occurrences: 4, flapping: { heldUntil: null }, next: { action: 'settle' } });
  // Four alerts, not seven: the recoveries in between were held.
  expect(await world.alerts()).toHaveLength(4);
});

test('it has settled when it has stayed fine: one message to those who were told', async () => {
  await flap();
  await succeed();
  await world.advance(minutes(59));
  await world.run();
  expect((await openOne())?.flapping?.heldUntil).toEqual(expect.any(String));
  const before = kinds().length;
  await world.advance(minutes(2));
  await world.run();
  expect(kinds().slice(before)).toEqual(['resolved']);
  expect(world.sent.at(-1)?.outgoing.message.items).toMatchObject([{ flapping: { count: 4 } }]);
  expect(await openOne()).toBeUndefined();
  await world.advance(minutes(600));
  await world.run();
  expect(kinds().slice(before)).toEqual(['resolved']);
});

test('it has settled when it has stayed broken: one message, and from then on it is like any other', async () => {
  await flap();
  await succeed();
  await fail();
  const before = kinds().length;
  await world.advance(minutes(61));
  await world.run();
  expect(kinds().slice(before)).toEqual(['settled']);
  expect(await openOne()).toMatchObject({ flapping: null, openedFlapping: { count: 4 } });
  await fail();
  expect(kinds().slice(before)).toEqual(['settled', 'again']);
  await succeed();
  expect(kinds().slice(before)).toEqual(['settled', 'again', 'resolved']);
});

test('an operator resolves a flapping alert at once', async () => {
  await flap();
  const alert = await openOne();
  await resolveByHand(world.service, alert!.id, { by: 'day shift', note: null });
  await world.run();
  expect(kinds().at(-1)).toBe('resolved');
});

test('keys that come and go in one batch are counted as well', async () => {
  const signals = Array.from({ length: 4 }, () => [
    failure({ failedAt: next() }),
    success({ finishedAt: next() }),
  ]).flat();
  await world.signal(...signals, failure({ failedAt: next() }));
  await world.run();
  expect((await openOne())?.flapping).toMatchObject({ count: 4 });
  expect(await world.alerts()).toHaveLength(4);
});
