import { randomUUID } from 'node:crypto';
import { DeliveryId } from '@tocsin/alert-model';
import type { DeliveryOutcome, Instant } from '@tocsin/alert-model';
import { bounceDelivery, deliver, settleProviderEvents } from '@tocsin/alert-service';
import type { ProviderEvent } from '@tocsin/event-store';
import { createTestDatabase } from '@tocsin/testing';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { composedDelivery, emptyTables, failure, openWorld, route, success } from './notifier-world.fixture.ts';
import type { NotifierWorld, Sent } from './notifier-world.fixture.ts';

const database = await createTestDatabase();
const minutes = (count: number): number => count * 60_000;
const noAnswer: DeliveryOutcome = { outcome: 'unknown', reason: 'timeout', status: null, detail: 'no answer' };

let world: NotifierWorld;
const open = async (fallback: readonly string[] = ['outbox']): Promise<NotifierWorld> => {
  world = await openWorld(
    database,
    { routes: [route({ windowMs: 0, fallback: [...fallback] })], channels: ['email', 'outbox'] },
    { recipients: { email: 2 } },
  );
  return world;
};

beforeEach(() => emptyTables(database));
afterEach(() => world.close());

/** What the provider says of an attempt afterwards. */
const said = ({ outgoing }: Sent, event: string, recipient = 'ada@example.com', minute = 0): ProviderEvent => ({
  id: `${event} ${recipient} ${outgoing.attemptId}`,
  provider: 'sendgrid',
  attemptId: outgoing.attemptId,
  deliveryId: DeliveryId.parse(outgoing.deliveryId),
  event,
  recipient,
  detail: event === 'bounce' ? '550 no such mailbox' : null,
  at: new Date(Date.UTC(2026, 2, 2, 3, minute)).toISOString() as Instant,
});

const settle = (...events: readonly ProviderEvent[]) => settleProviderEvents(world.service, events);
const first = (): Sent => world.sent[0]!;
const tell = async (): Promise<void> => {
  await world.signal(failure({ failedAt: new Date(Date.UTC(2026, 2, 2, 3)).toISOString() }));
  await world.run();
};
const attempts = async (): Promise<readonly string[]> => {
  const { rows } = await database.pool.query<{ outcome: string }>(
    'select outcome from tocsin.delivery_attempts order by started_at',
  );
  return rows.map(({ outcome }) => outcome);
};
const toldThrough = async (): Promise<readonly string[]> =>
  (await world.alerts())[0]?.told.map(({ channel }) => channel) ?? [];

test('story 25: an attempt without an answer is settled by the word of the provider, and not repeated', async () => {
  await open();
  world.answers.push(() => noAnswer);
  await tell();
  expect(await attempts()).toEqual(['unknown']);
  expect(await settle(said(first(), 'processed'), said(first(), 'delivered'))).toMatchObject({
    fresh: 2,
    settled: 1,
    confirmed: 1,
  });
  await world.run();
  await world.advance(minutes(60));
  await world.run();
  expect(world.sent).toHaveLength(1);
  expect(await attempts()).toEqual(['confirmed']);
  expect((await world.alerts())[0]).toMatchObject({ state: 'notified', told: [{ channel: 'email' }] });
});

test('the word of the provider that comes before a process dies on its answer is heard when the attempt is found', async () => {
  await open();
  world.script.set('email', async () => {
    await settle(said(first(), 'delivered'));
    throw new Error('killed');
  });
  await expect(tell()).rejects.toThrow('killed');
  expect(await attempts()).toEqual(['attempting']);
  world.script.delete('email');
  await world.advance(41_000);
  await world.run();
  await world.advance(minutes(10));
  await world.run();
  expect(world.sent).toHaveLength(1);
  expect(await attempts()).toEqual(['confirmed']);
  expect((await world.alerts())[0]?.state).toBe('notified');
});

test('the word about an attempt that comes while the next one is under way decides when that one fails', async () => {
  await open();
  world.answers.push(() => noAnswer);
  await tell();
  world.script.set('email', async () => {
    await settle(said(first(), 'processed'));
    return { outcome: 'retry', reason: 'server-error', retryAfterMs: null, status: 500, detail: 'later' };
  });
  await world.advance(minutes(1.1));
  await world.run();
  await world.advance(minutes(10));
  await world.run();
  expect(world.sent).toHaveLength(2);
  expect(await attempts()).toEqual(['accepted', 'retry']);
  expect(await toldThrough()).toEqual(['email']);
});

test('a message that came back from every recipient goes through the next channel, which says so, and it is on record who knows', async () => {
  await open();
  await tell();
  expect(await toldThrough()).toEqual(['email']);
  await settle(said(first(), 'bounce', 'ada@example.com'));
  await world.run();
  expect(await toldThrough()).toEqual(['email']);
  expect(world.sent).toHaveLength(1);
  await settle(said(first(), 'bounce', 'bob@example.com'));
  await world.run();
  expect(world.sent.map(({ channel }) => channel)).toEqual(['email', 'outbox']);
  expect(world.sent[1]?.outgoing.message.notices).toEqual([
    'This message was accepted by the channel "email" and came back (bounced: 550 no such mailbox), so it comes through "outbox". Look after that channel.',
  ]);
  expect((await world.alerts())[0]).toMatchObject({ state: 'notified', bounces: 1, told: [{ channel: 'outbox' }] });
  await world.signal(success({ finishedAt: new Date(Date.UTC(2026, 2, 2, 4)).toISOString() }));
  await world.run();
  expect(world.sent.slice(2).map(({ channel }) => channel)).toEqual(['outbox']);
});

test('a message that came back from somebody and reached another has told', async () => {
  await open();
  await tell();
  await settle(
    said(first(), 'bounce', 'ada@example.com'),
    said(first(), 'bounce', 'bob@example.com', 1),
    said(first(), 'delivered', 'bob@example.com', 2),
  );
  await world.run();
  expect(world.sent).toHaveLength(1);
  expect(await toldThrough()).toEqual(['email']);
});

test('a message that came back before its alerts knew that it was accepted ends the same way', async () => {
  await open();
  const id = await composedDelivery(world);
  await deliver(world.service, id, new AbortController().signal);
  await settle(said(first(), 'bounce', 'ada@example.com'), said(first(), 'bounce', 'bob@example.com'));
  expect((await world.alerts())[0]?.state).toBe('batched');
  expect(await bounceDelivery(world.service, id)).toBe(true);
  expect(await bounceDelivery(world.service, id)).toBe(false);
  await world.run();
  expect(world.sent.map(({ channel }) => channel)).toEqual(['email', 'outbox']);
  expect((await world.alerts())[0]).toMatchObject({ state: 'notified', bounces: 1, told: [{ channel: 'outbox' }] });
});

test('a message that comes back where no channel is left is on record as told to nobody, and is not sent in circles', async () => {
  await open([]);
  await tell();
  await settle(said(first(), 'bounce', 'ada@example.com'), said(first(), 'dropped', 'bob@example.com'));
  for (let n = 0; n < 3; n += 1) {
    await world.run();
    await world.advance(minutes(20));
  }
  expect(world.sent).toHaveLength(1);
  expect((await world.alerts())[0]).toMatchObject({ bounces: 1, failedDeliveries: 1, told: [], unansweredSince: null });
  const dead = await world.service.store.read((session) =>
    session.listDeliveries({ state: 'dead', channel: null, limit: 10 }),
  );
  expect(dead.map(({ id }) => id)).toEqual([first().outgoing.deliveryId]);
});

test('events repeated 46 times, in any order and cut into any pieces, come to the same', async () => {
  await open();
  await fc.assert(
    fc
      .asyncProperty(
        fc.shuffledSubarray(['processed', 'deferred', 'bounce ada', 'bounce bob', 'open ada'], {
          minLength: 5,
          maxLength: 5,
        }),
        fc.array(fc.nat({ max: 4 }), { minLength: 46, maxLength: 46 }),
        fc.integer({ min: 1, max: 5 }),
        fc.boolean(),
        async (order, repeats, pieces, early) => {
          const events = (sent: Sent): readonly ProviderEvent[] => {
            const once = order.map((text, n) => {
              const [event = '', name = 'ada'] = text.split(' ');
              return said(sent, event, `${name}@example.com`, n);
            });
            return [...once, ...repeats.map((n) => once[n]!)];
          };
          const tellInPieces = async (sent: Sent): Promise<void> => {
            const all = events(sent);
            const size = Math.ceil(all.length / pieces);
            for (let at = 0; at < all.length; at += size) await settle(...all.slice(at, at + size));
          };
          const sentBefore = world.sent.length;
          // Now and then it is the first that says that the message was accepted.
          if (early) world.answers.push(() => noAnswer);
          await tell();
          const sent = world.sent[sentBefore]!;
          await tellInPieces(sent);
          await world.run();
          await tellInPieces(sent);
          await world.run();
          await world.advance(minutes(5));
          await world.run();
          expect(world.sent.slice(sentBefore).map(({ channel }) => channel)).toEqual(['email', 'outbox']);
          expect((await world.alerts())[0]).toMatchObject({ bounces: 1, told: [{ channel: 'outbox' }] });
        },
      )
      .beforeEach(() => emptyTables(database)),
    { numRuns: 6 },
  );
});

test('events about attempts that are none of ours, or of another message, are ignored', async () => {
  await open();
  await tell();
  await world.signal(failure({ targetId: 'albums' }));
  await world.run();
  const forged = [
    { ...said(first(), 'bounce'), attemptId: randomUUID() },
    { ...said(first(), 'bounce'), attemptId: world.sent[1]!.outgoing.attemptId },
    { ...said(first(), 'bounce'), attemptId: "1' or '1'='1" },
    { ...said(first(), 'bounce'), deliveryId: 'no uuid' as DeliveryId },
    { ...said(first(), 'bounce'), attemptId: null },
    { ...said(first(), 'bounce'), deliveryId: null },
  ];
  // In one call with an event that is ours, which is heard.
  const ours = said(world.sent[1]!, 'processed');
  expect(await settle(...forged, ours)).toMatchObject({ fresh: 1, foreign: forged.length });
  const { rows } = await database.pool.query('select id from tocsin.provider_events');
  expect(rows).toEqual([{ id: ours.id }]);
  expect(await attempts()).toEqual(['accepted', 'accepted']);
});
