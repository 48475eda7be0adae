import { acknowledge, addSilence, catchUp, refreshModels } from '@tocsin/alert-service';
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

/** As when the queue's tables were restored from a backup. */
const loseTimers = () => database.pool.query("delete from pgboss.job where name = 'timers'");
const kinds = (): readonly string[] =>
  world.sent.flatMap(({ channel, outgoing }) => outgoing.message.items.map(({ kind }) => `${channel} ${kind}`));
const escalation = {
  name: 'night',
  levels: [
    { afterMs: minutes(30), channels: ['oncall'], severities: null },
    { afterMs: minutes(60), channels: ['manager'], severities: null },
  ],
  repeat: null,
};

test('escalations whose timers are gone are carried out a minute late', async () => {
  await open({ routes: [route({ windowMs: 0, escalation })] });
  await world.signal(failure());
  await world.run();
  await loseTimers();
  await world.advance(minutes(30));
  await world.run();
  expect(kinds()).toEqual(['email new']);
  await world.advance(minutes(1));
  await world.run();
  expect(kinds()).toEqual(['email new', 'oncall escalated']);
  await loseTimers();
  await world.advance(minutes(31));
  await world.run();
  expect(kinds()).toEqual(['email new', 'oncall escalated', 'manager escalated']);
  await world.advance(minutes(600));
  await world.run();
  expect(kinds()).toHaveLength(3);
});

test('so are leases, silences and what has settled', async () => {
  await open({
    flapping: { times: 1, withinMs: minutes(360), holdMs: minutes(60) },
    routes: [route({ windowMs: 0 })],
  });
  await world.signal(failure({ targetId: 'leased' }), failure({ targetId: 'flapping' }));
  await world.run();
  await world.signal(success({ targetId: 'flapping', finishedAt: new Date(Date.now() + 1_000).toISOString() }));
  await world.run();
  await world.signal(failure({ targetId: 'flapping', failedAt: new Date(Date.now() + 2_000).toISOString() }));
  await world.run();
  const leased = (await world.alerts()).find(({ targetId }) => targetId === 'leased');
  await acknowledge(world.service, leased!.id, {
    by: 'night shift',
    via: 'cli',
    lease: { until: 'span', ms: minutes(30) },
    note: null,
  });
  await addSilence(world.service, {
    match: { targetId: ['silenced'] },
    by: 'night shift',
    reason: null,
    end: { until: 'span', ms: minutes(30) },
    startsAt: null,
  });
  await world.signal(failure({ targetId: 'silenced' }));
  await world.run();
  await loseTimers();
  const before = world.sent.length;
  await world.advance(minutes(62));
  expect(await catchUp(world.service)).toEqual({ alerts: 3, silences: 1 });
  await world.run();
  expect(kinds().slice(before).toSorted()).toEqual(['email lapsed', 'email settled', 'email unsilenced']);
  expect(await catchUp(world.service)).toEqual({ alerts: 0, silences: 0 });
  expect(await world.service.store.read((session) => session.activeSilences())).toEqual([]);
});

test('a silence whose start was lost begins, and one of alerts that are all resolved ends', async () => {
  await open({ routes: [route({ windowMs: 0 })] });
  await world.signal(failure(), failure({ targetId: 'albums' }));
  await world.run();
  const command = { by: 'night shift', reason: null };
  const startsAt = new Date(Date.now() + minutes(5)).toISOString();
  const match = { targetId: ['albums'] };
  await addSilence(world.service, { ...command, match, end: { until: 'span', ms: minutes(60) }, startsAt });
  await addSilence(world.service, {
    ...command,
    match: { targetId: ['songs'] },
    end: { until: 'resolved' },
    startsAt: null,
  });
  await loseTimers();
  await world.advance(minutes(6));
  expect(await catchUp(world.service)).toMatchObject({ silences: 1 });
  expect((await world.alerts()).map(({ silences }) => Object.keys(silences).length)).toEqual([1, 1]);
  // The resolution, as if the job that looks at the silence had been lost.
  await world.signal(success({ finishedAt: new Date(Date.now() + minutes(10)).toISOString() }));
  await world.run();
  await database.pool.query(
    'update tocsin.silences set ended_at = null, ended_by = null, end_cause = null where ends_at is null',
  );
  expect(await catchUp(world.service)).toMatchObject({ silences: 1 });
  const { rows } = await database.pool.query('select end_cause from tocsin.silences where ends_at is null');
  expect(rows).toEqual([{ end_cause: 'expired' }]);
});

test('read models of an older version are folded again, once', async () => {
  await open({ routes: [route({ windowMs: 0 })] });
  await world.signal(...Array.from({ length: 450 }, (_, index) => failure({ targetId: `t${index}` })));
  await world.run();
  const before = await world.alerts();
  await database.pool.query(
    `update tocsin.alerts set model_version = 1, next_action = null, next_action_at = null, data = '{"broken": true}'`,
  );
  expect(await refreshModels(world.service)).toBe(450);
  expect(await world.alerts()).toEqual(before);
  const { rows } = await database.pool.query('select distinct next_action from tocsin.alerts');
  expect(rows).toEqual([{ next_action: 'wait' }]);
  expect(await refreshModels(world.service)).toBe(0);
});
