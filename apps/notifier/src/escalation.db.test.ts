import { acknowledge, addSilence, unacknowledge } from '@tocsin/alert-service';
import type { RoutePolicy } from '@tocsin/alert-model';
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

const ladder: NonNullable<RoutePolicy['escalation']> = {
  name: 'night',
  levels: [
    { afterMs: minutes(15), channels: ['oncall'], severities: null },
    { afterMs: minutes(45), channels: ['manager', 'chat'], severities: null },
  ],
  repeat: { everyMs: minutes(30), times: 2 },
};
const toldSince = (from: number): readonly string[] =>
  world.sent
    .slice(from)
    .map(({ channel }) => channel)
    .toSorted();
/** Channels told by each run, the first when it begins. */
const tellAt = async (waits: readonly number[]): Promise<readonly (readonly string[])[]> => {
  const told: (readonly string[])[] = [];
  for (const wait of waits) {
    const before = world.sent.length;
    await world.advance(minutes(wait));
    await world.run();
    told.push(toldSince(before));
  }
  return told;
};

test('a ladder is climbed level by level, then everybody is told again so often, then nobody', async () => {
  await open({ routes: [route({ windowMs: 0, escalation: ladder })] });
  await world.signal(failure());
  expect(await tellAt([0, 14, 1, 29, 1, 29, 1, 30, 30, 600])).toEqual([
    ['email'],
    [],
    ['oncall'],
    [],
    ['chat', 'manager'],
    [],
    ['chat', 'manager', 'oncall'],
    ['chat', 'manager', 'oncall'],
    [],
    [],
  ]);
  const manager = world.sent.find(({ channel }) => channel === 'manager');
  expect(manager?.outgoing.message.items).toMatchObject([
    { kind: 'escalated', escalation: { level: 2, toldBefore: [{ channel: 'email' }, { channel: 'oncall' }] } },
  ]);
  expect(world.sent.at(-1)?.outgoing.message.items).toMatchObject([{ escalation: { repeat: 2 } }]);
  expect((await world.alerts())[0]).toMatchObject({ escalationLevel: 4, escalations: { default: { step: 4 } } });
  // Everybody who was told of the failure is told of its end.
  const before = world.sent.length;
  await world.signal(success({ finishedAt: new Date(Date.now() + minutes(1)).toISOString() }));
  await world.run();
  expect(toldSince(before)).toEqual(['chat', 'email', 'manager', 'oncall']);
});

test('an acknowledgement stops the ladder, and giving the alert back starts it anew', async () => {
  await open({ routes: [route({ windowMs: 0, escalation: ladder })] });
  await world.signal(failure());
  expect(await tellAt([0, 15])).toEqual([['email'], ['oncall']]);
  const [alert] = await world.alerts();
  const lease = { until: 'success' } as const;
  await acknowledge(world.service, alert!.id, { by: 'night shift', via: 'cli', lease, note: null });
  expect(await tellAt([120])).toEqual([[]]);
  await unacknowledge(world.service, alert!.id, 'night shift');
  expect(await tellAt([14, 1, 29, 1])).toEqual([[], ['oncall'], [], ['chat', 'manager']]);
});

test('a lease of three more failures ends with the third, in one message that names whose it was', async () => {
  await open({ routes: [route({ windowMs: 0, escalation: ladder })] });
  await world.signal(failure());
  await world.run();
  const [alert] = await world.alerts();
  await acknowledge(world.service, alert!.id, {
    by: 'night shift',
    via: 'cli',
    lease: { until: 'failures', count: 3 },
    note: null,
  });
  await world.signal(failure({ error: 'disk full' }));
  await world.signal(failure());
  await world.run();
  expect(world.sent).toHaveLength(1);
  await world.signal(failure());
  await world.run();
  expect(world.sent).toHaveLength(2);
  expect(world.sent[1]?.outgoing.message.items).toMatchObject([
    { kind: 'lapsed', failures: 3, lapse: { by: 'night shift', reason: 'failures' } },
  ]);
});

test('two routes climb ladders of their own, and a level that is not for the severity is skipped', async () => {
  const critical = ['critical'] as const;
  await open({
    rules: [{ name: 'rules[0]', match: { jobType: ['rebuild_index'] }, severity: 'critical' }],
    routes: [
      route({
        windowMs: 0,
        escalation: {
          name: 'by severity',
          levels: [
            { afterMs: minutes(10), channels: ['oncall'], severities: [...critical] },
            { afterMs: minutes(20), channels: ['manager'], severities: null },
          ],
          repeat: null,
        },
      }),
      route({
        name: 'shop',
        match: { jobType: ['refresh_catalog'] },
        channels: ['chat'],
        windowMs: 0,
        escalation: {
          name: 'shop',
          levels: [{ afterMs: minutes(15), channels: ['owner'], severities: null }],
          repeat: null,
        },
      }),
    ],
  });
  await world.signal(failure());
  expect(await tellAt([0, 10, 5, 5])).toEqual([['chat', 'email'], [], ['owner'], ['manager']]);
  await world.signal(failure({ jobType: 'rebuild_index' }));
  expect(await tellAt([0, 10, 10])).toEqual([['email'], ['oncall'], ['manager']]);
});

test('an alert that becomes critical climbs the level it has passed without being one', async () => {
  await open({
    rules: [{ name: 'rules[0]', match: { kind: ['dead'] }, severity: 'critical' }],
    routes: [
      route({
        windowMs: 0,
        escalation: {
          name: 'critical only',
          levels: [{ afterMs: minutes(10), channels: ['oncall'], severities: ['critical'] }],
          repeat: null,
        },
      }),
    ],
  });
  await world.signal(failure());
  expect(await tellAt([0, 20])).toEqual([['email'], []]);
  await world.signal(failure({ kind: 'dead' }));
  expect(await tellAt([0])).toEqual([['email', 'oncall']]);
  expect(world.sent.find(({ channel, outgoing }) => channel === 'email' && outgoing.message.followUp)).toMatchObject({
    outgoing: { message: { items: [{ kind: 'worse', severityBefore: 'error' }] } },
  });
});

test('a silenced alert is not escalated, and is at once when the silence is over', async () => {
  await open({ routes: [route({ windowMs: 0, escalation: ladder })] });
  await world.signal(failure());
  await world.run();
  await addSilence(world.service, {
    match: {},
    by: 'night shift',
    reason: null,
    end: { until: 'span', ms: minutes(30) },
    startsAt: null,
  });
  await addSilence(world.service, {
    match: { source: ['apple'] },
    by: 'night shift',
    reason: null,
    end: { until: 'span', ms: minutes(30) },
    startsAt: null,
  });
  expect(await tellAt([20, 11])).toEqual([[], ['oncall']]);
});

test('escalations of a hundred alerts of one digest are one message per level', async () => {
  await open({ routes: [route({ escalation: ladder })] });
  await world.signal(...Array.from({ length: 100 }, (_, index) => failure({ targetId: `t${index}` })));
  expect(await tellAt([0, 15, 15, 30])).toEqual([[], ['email'], ['oncall'], ['chat', 'manager']]);
  const { rows } = await database.pool.query(
    "select count(*)::int as count from pgboss.job where data ->> 'timer' = 'escalation'",
  );
  expect(rows).toEqual([{ count: 3 }]);
});
