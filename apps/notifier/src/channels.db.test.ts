import type { DeliveryOutcome } from '@tocsin/alert-model';
import { forgetMissingChannels, noteTested, redeliver } from '@tocsin/alert-service';
import { createTestDatabase } from '@tocsin/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { emptyTables, failure, openWorld, route } from './notifier-world.fixture.ts';
import type { NotifierWorld } from './notifier-world.fixture.ts';

const database = await createTestDatabase();
const seconds = (count: number): number => count * 1_000;
const minutes = (count: number): number => count * 60_000;

let world: NotifierWorld;
const worlds: NotifierWorld[] = [];
const open = async (
  ...args: Parameters<typeof openWorld> extends [unknown, ...infer Rest] ? Rest : never
): Promise<NotifierWorld> => {
  world = await openWorld(database, ...args);
  worlds.push(world);
  return world;
};

beforeEach(() => emptyTables(database));
afterEach(async () => {
  for (const each of worlds.splice(0)) await each.close();
});

const unauthorized: DeliveryOutcome = { outcome: 'rejected', reason: 'unauthorized', status: 401, detail: 'bad key' };
const refused: DeliveryOutcome = {
  outcome: 'retry',
  reason: 'connection-refused',
  retryAfterMs: null,
  status: null,
  detail: 'ECONNREFUSED',
};
const accepted: DeliveryOutcome = { outcome: 'accepted', providerMessageId: null, status: 202 };

/** What was handed to a channel: titles of the first item of each message, with its kind. */
const sentTo = (channel: string): readonly string[] =>
  world.sent
    .filter((sent) => sent.channel === channel)
    .map(({ outgoing }) => `${outgoing.message.items[0]?.kind} ${outgoing.message.items[0]?.title}`);

const tell = async (targetId: string): Promise<void> => {
  await world.signal(failure({ targetId }));
  await world.run();
};

const attempts = async (channel: string): Promise<readonly string[]> => {
  const { rows } = await database.pool.query<{ outcome: string }>(
    `select attempts.outcome from tocsin.delivery_attempts as attempts
     join tocsin.deliveries on deliveries.id = attempts.delivery_id
     where deliveries.channel = $1 order by attempts.started_at`,
    [channel],
  );
  return rows.map(({ outcome }) => outcome);
};

test('a channel that refuses the key is parked: it is tried once, the next one tells why, and one alert says so elsewhere', async () => {
  await open({ routes: [route({ windowMs: 0, fallback: ['outbox'] })], channels: ['email', 'chat', 'outbox'] });
  world.script.set('email', () => unauthorized);
  await tell('albums');
  await tell('songs');
  await tell('artists');
  await world.advance(minutes(14));
  await tell('covers');
  expect(sentTo('email')).toEqual(['new apple/refresh_catalog/albums']);
  expect(await attempts('email')).toEqual(['rejected']);
  for (const target of ['albums', 'songs', 'artists', 'covers'])
    expect(sentTo('outbox')).toContain(`new apple/refresh_catalog/${target}`);
  const notices = world.sent
    .filter(({ channel }) => channel === 'outbox')
    .map(({ outgoing }) => outgoing.message.notices);
  expect(notices.filter(([notice]) => notice?.includes('(unauthorized)'))).toHaveLength(1);
  expect(notices.filter(([notice]) => notice?.includes('(parked: unauthorized (401): bad key)'))).toHaveLength(3);
  expect(world.sent.filter(({ outgoing }) => outgoing.message.items[0]?.title === 'Channel email')).not.toHaveLength(0);
  const own = (await world.alerts()).filter(({ source }) => source === 'tocsin');
  expect(own).toMatchObject([{ title: 'Channel email', occurrences: 1, state: 'notified' }]);
  expect(sentTo('email').some((title) => title.includes('Channel'))).toBe(false);
});

test('a parked channel that takes a message again is used again, and whoever was told that it is broken is told so', async () => {
  await open({ routes: [route({ windowMs: 0, fallback: ['outbox'] })], channels: ['email', 'outbox'] });
  world.script.set('email', () => unauthorized);
  await tell('albums');
  expect(sentTo('outbox')).toEqual(['new apple/refresh_catalog/albums', 'new Channel email']);
  await world.advance(minutes(15));
  world.script.delete('email');
  await tell('songs');
  await world.run();
  expect(sentTo('email')).toEqual(['new apple/refresh_catalog/albums', 'new apple/refresh_catalog/songs']);
  expect(sentTo('outbox').at(-1)).toBe('resolved Channel email');
  await tell('artists');
  expect(sentTo('email').at(-1)).toBe('new apple/refresh_catalog/artists');
});

test('without another channel messages wait for the repair, one of them tries now and then, and then all of them go out', async () => {
  await open({ routes: [route({ windowMs: 0 })], channels: ['email', 'outbox'] });
  world.script.set('email', () => unauthorized);
  const targets = ['albums', 'songs', 'artists', 'covers', 'labels', 'genres'];
  for (const target of targets) await tell(target);
  expect(sentTo('email')).toHaveLength(1);
  await world.advance(minutes(15.1));
  await world.run();
  expect(sentTo('email')).toHaveLength(2);
  await world.advance(minutes(14));
  await world.run();
  expect(sentTo('email')).toHaveLength(2);
  world.script.delete('email');
  await world.advance(minutes(2));
  await world.run();
  for (const target of targets) expect(sentTo('email')).toContain(`new apple/refresh_catalog/${target}`);
  expect(sentTo('email')).toHaveLength(2 + targets.length);
  expect(
    (await world.alerts()).filter(({ source }) => source === 'apple').every(({ state }) => state === 'notified'),
  ).toBe(true);
});

test('once a person has seen a parked channel take a test, all that waited for it goes out, and it is said that it works', async () => {
  await open({ routes: [route({ windowMs: 0, fallback: [] })], channels: ['email', 'outbox'] });
  world.script.set('email', () => unauthorized);
  const targets = Array.from({ length: 60 }, (_, number) => `target-${number}`);
  for (const target of targets) await tell(target);
  expect(sentTo('email')).toHaveLength(1);
  world.script.delete('email');
  expect(await noteTested(world.service, 'email', 'fingerprint')).toBe(true);
  expect(await noteTested(world.service, 'email', 'fingerprint')).toBe(false);
  await world.run();
  for (const target of targets) expect(sentTo('email')).toContain(`new apple/refresh_catalog/${target}`);
  expect((await world.alerts()).find(({ title }) => title === 'Channel email')?.state).toBe('resolved');
});

test('what may have been sent, and met a parked channel since, does not wait for as long as that once it works again', async () => {
  await open({ routes: [route({ windowMs: 0 })], channels: ['email', 'outbox'] });
  const silent: DeliveryOutcome = { outcome: 'unknown', reason: 'timeout', status: null, detail: 'no answer' };
  world.script.set('email', () => silent);
  await tell('albums');
  world.script.set('email', () => unauthorized);
  await tell('songs');
  // Its time has come and the channel is parked, for a quarter of an hour.
  await world.advance(minutes(2));
  await world.run();
  expect(sentTo('email')).toHaveLength(2);
  world.script.delete('email');
  const waiting = await world.service.store.read((session) =>
    session.listDeliveries({ state: 'waiting', channel: 'email', limit: 10 }),
  );
  const refusedOne = waiting.find(({ state }) => state === 'retrying');
  expect(refusedOne).toBeDefined();
  if (refusedOne !== undefined) await redeliver(world.service, refusedOne.id, 'ada');
  await world.run();
  expect(sentTo('email')).toHaveLength(3);
  await world.advance(seconds(61));
  await world.run();
  expect(sentTo('email').filter((title) => title.endsWith('albums'))).toHaveLength(2);
});

test('after five failures in a row nothing is tried any more, messages go over at once, and after a while one of them tries', async () => {
  await open({ routes: [route({ windowMs: 0, fallback: ['outbox'] })], channels: ['email', 'outbox'] });
  world.script.set('email', () => refused);
  await tell('albums');
  for (const waited of [5, 10, 20, 40]) {
    expect(sentTo('outbox')).toEqual([]);
    await world.advance(seconds(waited + 1));
    await world.run();
  }
  expect(sentTo('email')).toHaveLength(5);
  expect(sentTo('outbox')).toEqual(['new apple/refresh_catalog/albums']);
  await tell('songs');
  expect(sentTo('email')).toHaveLength(5);
  expect(sentTo('outbox')).toEqual(['new apple/refresh_catalog/albums', 'new apple/refresh_catalog/songs']);
  await world.advance(seconds(61));
  world.script.delete('email');
  await tell('artists');
  await tell('covers');
  expect(sentTo('email').slice(5)).toEqual(['new apple/refresh_catalog/artists', 'new apple/refresh_catalog/covers']);
  expect(sentTo('outbox')).toHaveLength(2);
});

test('a channel that stays dead is told of elsewhere when its circuit opens for the third time, once, and that it is back', async () => {
  await open({ routes: [route({ windowMs: 0 })], channels: ['email', 'outbox'] });
  world.script.set('email', () => refused);
  await tell('albums');
  for (let n = 0; n < 30 && sentTo('outbox').length === 0; n += 1) {
    await world.advance(minutes(1));
    await world.run();
  }
  const { rows } = await database.pool.query<{ opened: number }>(
    'select opened from tocsin.channel_states where channel = $1',
    ['email'],
  );
  expect(rows).toEqual([{ opened: 3 }]);
  await world.advance(minutes(30));
  await world.run();
  expect(sentTo('outbox')).toEqual(['new Channel email']);
  world.script.delete('email');
  await world.advance(minutes(60));
  await world.run();
  await world.run();
  expect(sentTo('email').at(-1)).toBe('new apple/refresh_catalog/albums');
  expect(sentTo('outbox')).toEqual(['new Channel email', 'resolved Channel email']);
});

test('while one message tries a channel again no other one does', async () => {
  await open({ routes: [route({ windowMs: 0 })], channels: ['email', 'outbox'] });
  world.script.set('email', () => unauthorized);
  for (const target of ['albums', 'songs', 'artists']) await tell(target);
  expect(sentTo('email')).toHaveLength(1);
  let others = -1;
  world.script.set('email', async () => {
    // Another notifier comes by while the first one waits for the answer.
    if (others === -1) {
      others = 0;
      const before = world.sent.length;
      const second = await openWorld(database, world.service.policy, {}, world.clock);
      await second.run();
      others = second.sent.filter(({ channel }) => channel === 'email').length + (world.sent.length - before);
      await second.close();
    }
    return accepted;
  });
  await world.advance(minutes(15.1));
  await world.run();
  expect(others).toBe(0);
  expect(sentTo('email')).toHaveLength(4);
});

test('a request for patience holds the other messages of the channel too, and does not send them elsewhere', async () => {
  await open({ routes: [route({ windowMs: 0, fallback: ['outbox'] })], channels: ['email', 'outbox'] });
  world.answers.push(() => ({
    outcome: 'retry',
    reason: 'rate-limited',
    retryAfterMs: minutes(10),
    status: 429,
    detail: 'slow down',
  }));
  await tell('albums');
  await tell('songs');
  await world.advance(minutes(9));
  await world.run();
  expect(sentTo('email')).toEqual(['new apple/refresh_catalog/albums']);
  await world.advance(minutes(1.1));
  await world.run();
  expect(sentTo('email').toSorted()).toEqual([
    'new apple/refresh_catalog/albums',
    'new apple/refresh_catalog/albums',
    'new apple/refresh_catalog/songs',
  ]);
  expect(sentTo('outbox')).toEqual([]);
});

test('two notifiers together send one message a second where that is the limit, and do not hold up another channel', async () => {
  const policy = { routes: [route({ windowMs: 0, channels: ['chat', 'email'] })], channels: ['chat', 'email'] };
  const settings = { rateLimits: { chat: { everyMs: 1_000, burst: 1 } } };
  const first = await open(policy, settings);
  const second = await open(policy, settings, first.clock);
  const count = (channel: string): number =>
    [...first.sent, ...second.sent].filter((sent) => sent.channel === channel).length;
  const messages = 20;
  const startedMs = Date.now();
  const elapsedMs = (): number => Date.now() - startedMs + first.clock.offsetMs;
  for (let n = 0; n < messages; n += 1) {
    await first.signal(failure({ targetId: `t${n}` }));
    await (n % 2 === 0 ? first : second).run();
  }
  expect(count('email')).toBe(messages);
  expect(count('chat')).toBeLessThan(messages);
  for (let rounds = 0; count('chat') < messages && rounds < 60; rounds += 1) {
    await first.advance(seconds(1));
    await Promise.all([first.run(), second.run()]);
    expect(count('chat')).toBeLessThanOrEqual(1 + elapsedMs() / 1_000);
  }
  expect(count('chat')).toBe(messages);
  // Nobody was counted as tried while it waited, and nobody waited much longer than the limit asks for.
  expect(await attempts('chat')).toEqual(Array.from({ length: messages }, () => 'accepted'));
  expect(elapsedMs()).toBeLessThan(seconds(2 * messages));
});

test('a channel that does not work and is configured no more is let go, and so is its alert', async () => {
  await open({ routes: [route({ windowMs: 0, fallback: ['outbox'] })], channels: ['email', 'chat', 'outbox'] });
  world.script.set('email', () => unauthorized);
  await tell('albums');
  expect(await world.service.store.read((session) => session.channelStates(['email']))).toHaveProperty('size', 1);
  expect(await forgetMissingChannels(world.service)).toEqual([]);
  const without = { ...world.service, policy: { ...world.service.policy, channels: ['chat', 'outbox'] } };
  expect(await forgetMissingChannels(without)).toEqual(['email']);
  expect(await forgetMissingChannels(without)).toEqual([]);
  await world.run();
  const states = await world.service.store.read((session) => session.channelStates(['email']));
  expect(states.get('email')?.parkedAt).toBeNull();
  const components = (await world.alerts()).filter(({ jobType }) => jobType === 'channel');
  expect(components.map(({ title, state }) => `${title} ${state}`)).toEqual(['Channel email resolved']);
});
