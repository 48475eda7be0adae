import { addSilence, carryOutSilence, endSilence, syncConfigSilences } from '@tocsin/alert-service';
import type { SilenceEndRequest } from '@tocsin/alert-service';
import { streamEvents } from '@tocsin/event-store';
import { createTestDatabase } from '@tocsin/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { emptyTables, failure, openWorld, route, success } from './notifier-world.fixture.ts';
import type { NotifierWorld } from './notifier-world.fixture.ts';

const database = await createTestDatabase();
const minutes = (count: number): number => count * 60_000;
const later = (ms: number): string => new Date(Date.now() + ms).toISOString();

let world: NotifierWorld;
const open = async (
  ...args: Parameters<typeof openWorld> extends [unknown, ...infer Rest] ? Rest : never
): Promise<NotifierWorld> => {
  world = await openWorld(database, ...args);
  return world;
};

beforeEach(() => emptyTables(database));
afterEach(() => world.close());

const silence = (over: Partial<Parameters<typeof addSilence>[1]> = {}) =>
  addSilence(world.service, {
    match: { source: ['apple'] },
    by: 'night shift',
    reason: 'apple is moving house',
    end: { until: 'span', ms: minutes(60) },
    startsAt: null,
    ...over,
  });
const idOf = (result: Awaited<ReturnType<typeof silence>>): string => {
  if (!result.done) throw new Error(result.refused);
  return result.silence.id;
};
const kinds = (): readonly string[] =>
  world.sent.flatMap(({ outgoing }) => outgoing.message.items.map(({ kind }) => kind));

test('what fails under a silence is on record and told when its time is over, naming who muted it', async () => {
  await open({ routes: [route({ windowMs: 0 })] });
  const added = await silence();
  expect(added).toMatchObject({ done: true, alerts: 0 });
  await world.signal(failure(), failure({ targetId: 'albums' }), failure({ source: 'shop' }));
  await world.run();
  expect(world.sent.map(({ outgoing }) => outgoing.message.items.map(({ source }) => source))).toEqual([['shop']]);
  const muted = (await world.alerts()).filter(({ source }) => source === 'apple');
  expect(muted).toMatchObject([
    {
      state: 'detected',
      occurrences: 1,
      silences: { [idOf(added)]: { by: 'night shift' } },
      next: { action: 'unsilence' },
    },
    { state: 'detected', occurrences: 1, next: { action: 'unsilence' } },
  ]);
  const { rows } = await database.pool.query(
    "select count(*)::int as count from tocsin.outcomes where disposition = 'recorded'",
  );
  expect(rows).toEqual([{ count: 3 }]);
  const events = await streamEvents(database.pool, `alert-${muted[0]?.id ?? ''}`);
  expect(events.map(({ event }) => event.type)).toEqual(['FailureDetected', 'AlertSilenced']);

  await world.advance(minutes(61));
  await world.run();
  expect(world.sent).toHaveLength(2);
  const items = world.sent[1]?.outgoing.message.items ?? [];
  expect(items.map(({ kind }) => kind)).toContain('unsilenced');
  expect(items[0]?.silence).toMatchObject({ by: 'night shift', reason: 'apple is moving house' });
  expect((await world.alerts()).map(({ state }) => state)).toEqual(['notified', 'notified', 'notified']);
  await world.advance(minutes(600));
  await world.run();
  expect(world.sent).toHaveLength(2);
});

test('story 20: what was told before a silence and recovers under it is told to those who know of it, and to nobody else', async () => {
  await open({ routes: [route({ windowMs: 0 })] });
  await world.signal(failure());
  await world.run();
  expect(kinds()).toEqual(['new']);
  expect(await silence()).toMatchObject({ done: true, alerts: 1 });
  await world.signal(failure({ targetId: 'albums' }));
  await world.run();
  await world.signal(success({ finishedAt: later(1_000) }), success({ targetId: 'albums', finishedAt: later(1_000) }));
  await world.run();
  expect((await world.alerts()).map(({ state }) => state)).toEqual(['resolved', 'resolved']);
  expect(world.sent).toHaveLength(2);
  expect(world.sent[1]?.outgoing.message.items).toMatchObject([{ kind: 'resolved', targetId: 'songs' }]);
  expect(world.sent[1]?.outgoing.message.followUp).toBe(true);
  await world.advance(minutes(120));
  await world.run();
  expect(world.sent).toHaveLength(2);
});

test('a silence takes news out of a digest that is not sealed, and gives it back when somebody ends it', async () => {
  await open();
  await world.signal(failure());
  await world.run();
  expect((await world.alerts())[0]?.state).toBe('batched');
  const id = idOf(await silence({ end: { until: 'span', ms: minutes(600) } }));
  await world.advance(minutes(15));
  await world.run();
  expect(world.sent).toEqual([]);
  const { rows } = await database.pool.query('select state from tocsin.digests');
  expect(rows).toEqual([{ state: 'empty' }]);
  await world.signal(failure());
  await world.run();
  expect((await world.alerts())[0]).toMatchObject({ occurrences: 2, batches: {} });

  expect(await endSilence(world.service, id, 'day shift')).toMatchObject({ done: true, alerts: 1 });
  expect(await endSilence(world.service, id, 'day shift')).toMatchObject({ done: false });
  await world.advance(minutes(15));
  await world.run();
  expect(world.sent).toHaveLength(1);
  expect(world.sent[0]?.outgoing.message.items).toMatchObject([
    { kind: 'unsilenced', failures: 2, silence: { by: 'night shift', endedBy: 'day shift' } },
  ]);
  await world.advance(minutes(700));
  await world.run();
  expect(world.sent).toHaveLength(1);
});

test('the end of a silence under which nothing happened is told to nobody', async () => {
  await open({ routes: [route({ windowMs: 0 })] });
  await world.signal(failure());
  await world.run();
  await silence();
  await world.advance(minutes(61));
  await world.run();
  expect((await world.alerts())[0]?.silences).toEqual({});
  expect(kinds()).toEqual(['new']);
});

test('a silence until the resolution mutes the alerts that match now, and ends with the last of them', async () => {
  await open({ routes: [route({ windowMs: 0 })] });
  expect(await silence({ end: { until: 'resolved' } })).toMatchObject({
    done: false,
    refused: expect.stringContaining('no open alert matches'),
  });
  await world.signal(failure(), failure({ targetId: 'albums' }));
  await world.run();
  const added = await silence({ end: { until: 'resolved' } });
  expect(added).toMatchObject({ done: true, alerts: 2 });
  await world.signal(failure(), failure({ targetId: 'artists' }));
  await world.run();
  // Another alert that matches is not one of them.
  expect(world.sent.at(-1)?.outgoing.message.items).toMatchObject([{ targetId: 'artists', kind: 'new' }]);
  await world.signal(success({ finishedAt: later(1_000) }));
  await world.run();
  expect(await stored(idOf(added))).toMatchObject({ endedAt: null });
  await world.signal(success({ targetId: 'albums', finishedAt: later(1_000) }));
  await world.run();
  expect(await stored(idOf(added))).toMatchObject({ endCause: 'expired', endedBy: null });
});

test('a silence that begins later mutes nothing before, and what is open then', async () => {
  await open({ routes: [route({ windowMs: 0 })] });
  const startsAt = later(minutes(30));
  expect(await silence({ startsAt })).toMatchObject({ done: true, alerts: 0 });
  await world.signal(failure());
  await world.run();
  expect(kinds()).toEqual(['new']);
  await world.advance(minutes(31));
  await world.run();
  await world.signal(failure());
  await world.run();
  expect(kinds()).toEqual(['new']);
  expect(Object.values((await world.alerts())[0]?.silences ?? {})).toHaveLength(1);
  await world.advance(minutes(60));
  await world.run();
  expect(kinds()).toEqual(['new', 'unsilenced']);
});

test('a silence without an end ahead, or without end, is refused', async () => {
  await open();
  const refused = async (end: SilenceEndRequest): Promise<string> => {
    const result = await silence({ end });
    return result.done ? 'done' : result.refused;
  };
  expect(await refused({ until: 'time', at: later(-1_000) })).toContain('over before it begins');
  expect(await refused({ until: 'span', ms: 0 })).toContain('over before it begins');
  expect(await refused({ until: 'span', ms: 400 * 86_400_000 })).toContain('longer than 366 days');
});

test('two silences: the alert is heard again when the last of them is over', async () => {
  await open({ routes: [route({ windowMs: 0 })] });
  const first = idOf(await silence());
  idOf(await silence({ by: 'day shift', end: { until: 'span', ms: minutes(90) } }));
  await world.signal(failure());
  await world.run();
  expect(Object.keys((await world.alerts())[0]?.silences ?? {})).toHaveLength(2);
  await endSilence(world.service, first, 'night shift');
  await world.run();
  expect(world.sent).toEqual([]);
  await world.advance(minutes(91));
  await world.run();
  expect(kinds()).toEqual(['unsilenced']);
});

test('an alert muted by severity is not muted once it is worse, and self alerts only by a silence that names them', async () => {
  const rules = [
    { name: 'rules[0]', match: { jobType: ['refresh_catalog'] }, severity: 'warning' as const },
    { name: 'rules[1]', match: { jobType: ['rebuild_index'] }, severity: 'critical' as const },
  ];
  await open({ rules, routes: [route({ windowMs: 0 })] });
  await silence({ match: { severity: ['warning'] } });
  await world.signal(failure(), failure({ jobType: 'rebuild_index' }));
  await world.run();
  expect(world.sent.flatMap(({ outgoing }) => outgoing.message.items.map(({ jobType }) => jobType))).toEqual([
    'rebuild_index',
  ]);
  await silence({ match: {} });
  await world.signal('nonsense');
  await world.run();
  expect(world.sent.at(-1)?.outgoing.message.items).toMatchObject([{ source: 'tocsin' }]);
});

test('a silence that was interrupted while it muted goes on where it was, and so does its end', async () => {
  await open({ routes: [route({ windowMs: 0 })] });
  await world.signal(...['a', 'b', 'c'].map((targetId) => failure({ targetId })));
  await world.run();
  const id = idOf(await silence({ startsAt: later(minutes(1)) }));
  await world.advance(minutes(2));
  // As after a crash between two pieces: one alert is muted already, and nobody noted that it was carried out.
  await carryOutSilence(world.service, id);
  await database.pool.query('update tocsin.silences set applied_at = null');
  expect(await carryOutSilence(world.service, id)).toBe(0);
  expect((await world.alerts()).every(({ silences }) => id in silences)).toBe(true);
  // Ended on record, and the process died before it unmuted anything.
  await world.service.store.transaction('test', (session) => session.endSilence(id, 'ended', 'day shift'));
  await world.run();
  expect((await world.alerts()).map(({ silences }) => silences)).toEqual([{}, {}, {}]);
});

test('silences of the configuration are made once, end when they leave it, and come back with it', async () => {
  await open({ routes: [route({ windowMs: 0 })] });
  const configured = {
    name: 'move',
    match: { source: ['apple'] },
    from: null,
    until: later(minutes(60)),
    reason: 'moving house',
  };
  const sync = (...silences: readonly (typeof configured)[]) => syncConfigSilences(world.service, silences);
  expect(await sync(configured, { ...configured, name: 'over', until: later(-1) })).toEqual({ added: 1, ended: 0 });
  expect(await sync(configured)).toEqual({ added: 0, ended: 0 });
  await world.signal(failure());
  await world.run();
  expect(world.sent).toEqual([]);
  expect(await sync()).toEqual({ added: 0, ended: 1 });
  await world.run();
  expect(world.sent[0]?.outgoing.message.items).toMatchObject([
    { kind: 'unsilenced', silence: { by: 'tocsin.yaml', reason: 'moving house', endedBy: 'tocsin.yaml' } },
  ]);
  expect(await sync(configured)).toEqual({ added: 1, ended: 0 });
  expect(Object.values((await world.alerts())[0]?.silences ?? {})).toMatchObject([{ by: 'tocsin.yaml' }]);
  // What somebody ended by hand stays ended.
  const [active] = await world.service.store.read((session) => session.activeSilences());
  await endSilence(world.service, active?.id ?? '', 'day shift');
  expect(await sync(configured)).toEqual({ added: 0, ended: 0 });
});

test('a thousand open alerts are muted and heard again', async () => {
  await open({ routes: [route({ windowMs: 0 })] });
  const count = 1_050;
  for (let from = 0; from < count; from += 350)
    await world.signal(...Array.from({ length: 350 }, (_, index) => failure({ targetId: `t${from + index}` })));
  await world.run();
  const added = await silence();
  expect(added).toMatchObject({ done: true, alerts: count });
  expect(await endSilence(world.service, idOf(added), 'day shift')).toMatchObject({ done: true, alerts: count });
});

const stored = async (id: string) =>
  (await world.service.store.read((session) => session.loadSilences([id])))[0] ?? null;
