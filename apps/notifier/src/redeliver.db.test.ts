import { randomUUID } from 'node:crypto';
import { DeliveryId } from '@tocsin/alert-model';
import type { DeliveryOutcome } from '@tocsin/alert-model';
import { acknowledgeDelivery, redeliver } from '@tocsin/alert-service';
import { createTestDatabase } from '@tocsin/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { emptyTables, failure, openWorld, route, success } from './notifier-world.fixture.ts';
import type { NotifierWorld } from './notifier-world.fixture.ts';

const database = await createTestDatabase();
const rejected = (reason: 'bad-request' | 'unauthorized'): DeliveryOutcome => ({
  outcome: 'rejected',
  reason,
  status: 400,
  detail: 'no',
});

let world: NotifierWorld;
const open = async (fallback: readonly string[] = []): Promise<void> => {
  world = await openWorld(database, {
    routes: [route({ windowMs: 0, fallback: [...fallback] })],
    channels: ['email', 'outbox'],
  });
};
const tell = async (...targets: readonly string[]): Promise<void> => {
  await world.signal(...targets.map((targetId) => failure({ targetId })));
  await world.run();
};
const deliveryOf = (n: number): DeliveryId => DeliveryId.parse(world.sent[n]?.outgoing.deliveryId);

beforeEach(() => emptyTables(database));
afterEach(() => world.close());

test('a dead letter is sent again by hand, says so, and is told; it cannot be sent again twice', async () => {
  await open();
  world.answers.push(() => rejected('bad-request'));
  await tell('songs');
  const dead = deliveryOf(0);
  expect(await redeliver(world.service, dead, 'ann')).toMatchObject({ done: true });
  const drained = await world.queue.drain('deliveries', async () => {}, { jobsMax: 100 });
  expect(drained).toBeGreaterThan(0);
  expect(await redeliver(world.service, dead, 'bob')).toMatchObject({
    done: false,
    refused: expect.stringMatching(/^the channel "email" took over, as delivery /),
  });
  await world.run();
  const again = world.sent.find(({ outgoing }) => outgoing.message.notices.some((notice) => notice.includes('ann')));
  expect(again?.outgoing).toMatchObject({ messageId: world.sent[0]?.outgoing.messageId });
  expect((await world.alerts())[0]?.state).toBe('notified');
  const { rows } = await database.pool.query(`select data from tocsin.events where type = 'DigestRedriven'`);
  expect(rows).toMatchObject([{ data: { by: 'ann', deliveryId: dead } }]);
});

test('a message that waits for a parked channel is tried at once when somebody asks', async () => {
  await open();
  world.answers.push(() => rejected('unauthorized'));
  await tell('songs');
  await tell('albums');
  expect(world.sent.filter(({ channel }) => channel === 'email')).toHaveLength(1);
  const [waiting] = await world.service.store.read((session) =>
    session.listDeliveries({ state: 'waiting', channel: 'email', limit: 1 }),
  );
  expect(await redeliver(world.service, waiting!.id, 'ann')).toEqual({
    done: true,
    deliveryId: waiting!.id,
    reason: 'it was waiting and is tried now',
  });
  await world.run();
  // And as it was taken, the other one went after it.
  expect(world.sent.filter(({ channel }) => channel === 'email')).toHaveLength(3);
});

test('what was accepted, what another channel took over and what never was is not sent again', async () => {
  await open(['outbox']);
  world.answers.push(() => rejected('bad-request'));
  await tell('songs');
  expect(await redeliver(world.service, deliveryOf(0), 'ann')).toMatchObject({
    refused: expect.stringMatching(/^the channel "outbox" took over/),
  });
  expect(await redeliver(world.service, deliveryOf(1), 'ann')).toMatchObject({
    refused: expect.stringMatching(/^it was accepted at /),
  });
  const unknown = DeliveryId.parse(randomUUID());
  expect(await redeliver(world.service, unknown, 'ann')).toEqual({
    done: false,
    refused: `there is no delivery ${unknown}`,
  });
});

test('story 16: the button of an old message acknowledges what that message listed, and nothing else', async () => {
  await open();
  await tell('songs', 'albums', 'covers');
  await tell('artists');
  await world.signal(success({ targetId: 'covers', finishedAt: new Date(Date.now() + 1_000).toISOString() }));
  await world.signal(
    failure({ targetId: 'albums', error: 'disk full', failedAt: new Date(Date.now() + 1_000).toISOString() }),
  );
  await world.run();
  const command = { by: 'ann', via: 'slack' };
  expect(await acknowledgeDelivery(world.service, deliveryOf(0), command)).toEqual({
    found: true,
    acknowledged: 1,
    heldBefore: 0,
    heldBy: [],
    resolved: 1,
    changed: 1,
  });
  const held = (await world.alerts()).filter(({ acknowledgement }) => acknowledgement !== null);
  expect(held).toMatchObject([
    { targetId: 'songs', acknowledgement: { by: 'ann', lease: { until: 'signature-change' } } },
  ]);
  expect(await acknowledgeDelivery(world.service, deliveryOf(0), { ...command, by: 'bob' })).toMatchObject({
    acknowledged: 0,
    heldBefore: 1,
    heldBy: ['ann'],
  });
});

test('a message that told of a recovery has nothing to acknowledge, and an unknown one is not found', async () => {
  await open();
  await tell('songs');
  await world.signal(success({ targetId: 'songs', finishedAt: new Date(Date.now() + 1_000).toISOString() }));
  await world.run();
  const command = { by: 'ann', via: 'slack' };
  expect(await acknowledgeDelivery(world.service, deliveryOf(1), command)).toMatchObject({
    found: true,
    acknowledged: 0,
    resolved: 1,
  });
  expect(await acknowledgeDelivery(world.service, DeliveryId.parse(randomUUID()), command)).toMatchObject({
    found: false,
  });
});
