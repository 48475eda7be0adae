import type { DeliveryOutcome } from '@tocsin/alert-model';
import { deliver } from '@tocsin/alert-service';
import type { ServiceContext } from '@tocsin/alert-service';
import { createTestDatabase } from '@tocsin/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { composedDelivery, emptyTables, failure, openWorld, route } from './notifier-world.fixture.ts';
import type { NotifierWorld } from './notifier-world.fixture.ts';

const database = await createTestDatabase();
const never = new AbortController().signal;
/** Longer than an attempt may take, and than an open one is waited for. */
const abandonedMs = 41_000;
const accepted: DeliveryOutcome = { outcome: 'accepted', providerMessageId: 'ts-1', status: 202 };

let world: NotifierWorld;
beforeEach(async () => {
  await emptyTables(database);
  world = await openWorld(database, {
    routes: [route({ windowMs: 0, fallback: ['outbox'] })],
    channels: ['email', 'outbox'],
  });
});
afterEach(() => world.close());

/** A notifier that does something else, or dies, when it enters a transaction of that name. */
const interruptedAt = (name: string, interrupt: () => Promise<void>): ServiceContext => ({
  ...world.service,
  store: {
    ...world.service.store,
    transaction: async (entered, work) => {
      if (entered === name) await interrupt();
      return world.service.store.transaction(entered, work);
    },
  },
});

const attempts = async (): Promise<readonly (readonly [string, string | null])[]> => {
  const { rows } = await database.pool.query<{ outcome: string; reason: string | null }>(
    'select outcome, reason from tocsin.delivery_attempts order by number',
  );
  return rows.map(({ outcome, reason }) => [outcome, reason]);
};

test('an attempt that was written down and never begun is made again without any doubt', async () => {
  const id = await composedDelivery(world);
  const dying = interruptedAt('notifier.begin', () => Promise.reject(new Error('killed')));
  await expect(deliver(dying, id, never)).rejects.toThrow('killed');
  expect(await attempts()).toEqual([['claimed', null]]);
  await world.run();
  expect(world.sent).toHaveLength(0);
  await world.advance(abandonedMs);
  await world.run();
  expect(world.sent).toMatchObject([{ channel: 'email', outgoing: { mayHaveArrived: false } }]);
  expect(await attempts()).toEqual([
    ['retry', 'crashed'],
    ['accepted', null],
  ]);
});

test('a process that slept between writing the attempt down and beginning it sends nothing', async () => {
  const id = await composedDelivery(world);
  const sleeper = interruptedAt('notifier.begin', async () => {
    await world.advance(abandonedMs);
    await world.run();
  });
  expect(await deliver(sleeper, id, never)).toEqual({
    attempted: false,
    reason: 'the attempt was taken for abandoned',
  });
  expect(world.sent).toHaveLength(1);
  expect(await attempts()).toEqual([
    ['retry', 'crashed'],
    ['accepted', null],
  ]);
});

test('a process that slept for longer than an attempt is waited for sends nothing, even if nobody has noticed', async () => {
  const id = await composedDelivery(world);
  const sleeper = interruptedAt('notifier.begin', () => world.advance(abandonedMs));
  expect(await deliver(sleeper, id, never)).toMatchObject({ attempted: false });
  expect(world.sent).toHaveLength(0);
  await world.run();
  expect(world.sent).toHaveLength(1);
});

test('a process that is told to stop before it calls the provider has certainly sent nothing', async () => {
  const id = await composedDelivery(world);
  const stop = new AbortController();
  const stopping = interruptedAt('notifier.begin', async () => stop.abort());
  await deliver(stopping, id, stop.signal).catch(() => {});
  expect(world.sent).toHaveLength(0);
  await world.run();
  expect(world.sent).toHaveLength(1);
  expect((await attempts()).map(([outcome]) => outcome)).toEqual(['retry', 'accepted']);
});

test('an answer that comes after the attempt was taken for abandoned spares the resend', async () => {
  const id = await composedDelivery(world);
  world.script.set('email', async () => {
    await world.advance(abandonedMs);
    await world.run();
    expect(await attempts()).toEqual([['unknown', 'crashed']]);
    return accepted;
  });
  await deliver(world.service, id, never);
  await world.advance(600_000);
  await world.run();
  expect(world.sent).toHaveLength(1);
  expect(await attempts()).toEqual([['accepted', null]]);
  expect((await world.alerts())[0]?.state).toBe('notified');
});

test('an answer that comes after the resend changes nothing: the doubt stays on record', async () => {
  const id = await composedDelivery(world);
  let calls = 0;
  world.script.set('email', async () => {
    calls += 1;
    if (calls === 1)
      for (const ms of [abandonedMs, 61_000]) {
        await world.advance(ms);
        await world.run();
      }
    return accepted;
  });
  await deliver(world.service, id, never);
  expect(world.sent.map(({ outgoing }) => outgoing.mayHaveArrived)).toEqual([false, true]);
  expect(await attempts()).toEqual([
    ['unknown', 'crashed'],
    ['accepted', null],
  ]);
  expect((await world.alerts())[0]?.told).toHaveLength(1);
});

test('what the provider called the first message of a conversation comes with those that continue it, on that channel alone', async () => {
  world.script.set('email', (outgoing) => ({
    outcome: 'accepted',
    providerMessageId: `ts-${outgoing.message.followUp ? 'next' : 'first'}`,
    status: 200,
  }));
  for (let n = 0; n < 3; n += 1) {
    await world.signal(failure());
    await world.run();
  }
  world.script.set('email', () => ({ outcome: 'rejected', reason: 'bad-request', status: 400, detail: 'no' }));
  await world.signal(failure());
  await world.run();
  expect(world.sent.map(({ channel, outgoing }) => [channel, outgoing.rootId])).toEqual([
    ['email', null],
    ['email', 'ts-first'],
    ['email', 'ts-first'],
    ['email', 'ts-first'],
    ['outbox', null],
  ]);
});

test('several conversations that one digest continues each find the same way around a broken channel', async () => {
  await world.signal(failure({ targetId: 'albums' }));
  await world.run();
  await world.signal(failure({ targetId: 'songs' }));
  await world.run();
  world.script.set('email', () => ({ outcome: 'rejected', reason: 'bad-request', status: 400, detail: 'no' }));
  await world.signal(failure({ targetId: 'albums' }), failure({ targetId: 'songs' }));
  await world.run();
  expect(world.sent.map(({ channel }) => channel)).toEqual(['email', 'email', 'email', 'email', 'outbox', 'outbox']);
});
