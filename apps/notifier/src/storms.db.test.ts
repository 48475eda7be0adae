import { stormGatherMaxMs } from '@tocsin/alert-model';
import type { StormPolicy } from '@tocsin/alert-model';
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

const storm: StormPolicy = { keys: 50, withinMs: minutes(5), share: null, updateMs: minutes(15) };
const causes = ['database is away', 'disk full', 'HTTP 503'];
const failures = (count: number, prefix: string, over: Parameters<typeof failure>[0] = {}) =>
  Array.from({ length: count }, (_, index) =>
    failure({
      jobType: `type-${index % 4}`,
      targetId: `${prefix}-${index}`,
      error: causes[index % 3],
      ...over,
    }),
  );
/** Lets the gathering of a storm end: looks as often as its messages are put off. */
const settleStorm = async (): Promise<void> => {
  await world.advance(2_000);
  await world.run();
  await world.advance(2_000);
  await world.run();
};

test('300 new keys at once on a route without a window are one message by cause; then updates in its conversation', async () => {
  await open({ storm, routes: [route({ windowMs: 0 })] });
  await world.signal(...failures(300, 'a'));
  await world.run();
  expect(world.sent).toEqual([]);
  await settleStorm();
  expect(world.sent).toHaveLength(1);
  const first = world.sent[0]!.outgoing.message;
  expect(first).toMatchObject({ purpose: 'storm', totals: { alerts: 300, failures: 300 }, followUp: false });
  expect(first.incident).toMatchObject({ keys: 300, source: 'apple' });
  expect(first.incident?.byJobType).toHaveLength(4);
  expect(first.items.map(({ alerts }) => alerts)).toEqual([100, 100, 100]);
  expect((await world.alerts()).every(({ state, told }) => state === 'notified' && told[0]?.purpose === 'storm')).toBe(
    true,
  );

  // It goes on: the next message comes a while later, in the same conversation.
  await world.advance(minutes(1));
  await world.signal(...failures(80, 'b'));
  await world.run();
  await settleStorm();
  expect(world.sent).toHaveLength(1);
  await world.advance(minutes(15));
  await world.run();
  await settleStorm();
  expect(world.sent).toHaveLength(2);
  expect(world.sent[1]!.outgoing.message).toMatchObject({
    threadId: first.threadId,
    followUp: true,
    totals: { alerts: 80 },
  });

  // And it ends: whoever was told of the storm is told in one message, too.
  await world.signal(
    ...(await world.alerts())
      .slice(0, 200)
      .map(({ jobType, targetId }) =>
        success({ jobType, targetId, finishedAt: new Date(Date.now() + minutes(120)).toISOString() }),
      ),
  );
  await world.run();
  expect(world.sent).toHaveLength(2);
  await world.advance(minutes(15));
  await world.run();
  await settleStorm();
  expect(world.sent).toHaveLength(3);
  expect(world.sent[2]!.outgoing.message).toMatchObject({ threadId: first.threadId, totals: { resolved: 200 } });
  expect(
    (await world.alerts()).filter(({ pending, batches }) => Object.keys({ ...pending, ...batches }).length > 0),
  ).toEqual([]);
});

test('fewer new keys than the limit are told as always, and so is what comes after the storm', async () => {
  await open({ storm, routes: [route({ windowMs: 0 })] });
  await world.signal(...failures(50, 'a'));
  await world.run();
  expect(world.sent.map(({ outgoing }) => outgoing.message.purpose)).toEqual(['window']);
  expect(world.sent[0]?.outgoing.message.incident ?? null).not.toMatchObject({ keys: 51 });
  await world.advance(minutes(6));
  await world.signal(failure({ targetId: 'late' }));
  await world.run();
  expect(world.sent.map(({ outgoing }) => outgoing.message.purpose)).toEqual(['window', 'window']);
});

test('keys are counted over transactions: the one above the limit makes it a storm', async () => {
  await open({ storm, routes: [route({ windowMs: 0 })] });
  for (let batch = 0; batch < 5; batch += 1) {
    await world.signal(...failures(10, `quiet-${batch}`));
    await world.run();
  }
  expect(world.sent).toHaveLength(5);
  await world.signal(...failures(10, 'storm'));
  await world.run();
  expect(world.sent).toHaveLength(5);
  await settleStorm();
  expect(world.sent.at(-1)?.outgoing.message).toMatchObject({ purpose: 'storm', totals: { alerts: 10 } });
});

test('a storm that goes on arriving is told after a minute at the latest', async () => {
  await open({ storm, routes: [route({ windowMs: 0 })] });
  await world.signal(...failures(60, 'first'));
  await world.run();
  let seconds = 0;
  while (world.sent.length === 0 && seconds < 70) {
    seconds += 1;
    await world.signal(failure({ targetId: `more-${seconds}` }));
    await world.advance(1_000);
    await world.run();
  }
  expect(world.sent).toHaveLength(1);
  // Those that came while it was gathered are in it.
  expect(world.sent[0]?.outgoing.message.totals.alerts).toBeGreaterThan(65);
  const { rows } = await database.pool.query<{ readonly ms: number }>(
    `select (extract(epoch from (data ->> 'sealedAt')::timestamptz - (data ->> 'openedAt')::timestamptz) * 1000)::integer as ms
     from tocsin.digests where purpose = 'storm' and state <> 'open'`,
  );
  expect(rows[0]?.ms).toBeLessThan(stormGatherMaxMs + 10_000);
});

test('more than a share of what a source does is a storm of that source alone', async () => {
  await open({ storm: { ...storm, share: 0.5 }, routes: [route({ windowMs: 0 })] });
  // Ten of a hundred is no storm …
  await world.signal(...failures(10, 'some', { source: 'shop', sourceSuccesses: 90 }));
  await world.run();
  expect(world.sent.map(({ outgoing }) => outgoing.message.purpose)).toEqual(['window']);
  // … twelve of fifteen is.
  await world.signal(...failures(12, 'most', { source: 'apple', sourceSuccesses: 3 }), failure({ source: 'bank' }));
  await world.run();
  expect(world.sent.at(-1)?.outgoing.message.items).toMatchObject([{ source: 'bank' }]);
  await settleStorm();
  expect(world.sent.at(-1)?.outgoing.message).toMatchObject({
    purpose: 'storm',
    totals: { alerts: 12 },
    incident: { source: 'apple' },
  });
});

test('an alert of a storm that is escalated is told once for all of it', async () => {
  const escalation = {
    name: 'night',
    levels: [{ afterMs: minutes(30), channels: ['oncall'], severities: null }],
    repeat: null,
  };
  await open({ storm, routes: [route({ windowMs: 0, escalation })] });
  await world.signal(...failures(300, 'a'));
  await world.run();
  await settleStorm();
  await world.advance(minutes(30));
  await world.run();
  expect(world.sent.map(({ channel }) => channel)).toEqual(['email', 'oncall']);
});

test('what breaks in Tocsin itself is told in the middle of a storm', async () => {
  await open({ storm, routes: [route({ windowMs: 0 })] });
  await world.signal(...failures(300, 'a'), 'nonsense');
  await world.run();
  expect(world.sent.map(({ outgoing }) => outgoing.message.items[0]?.source)).toEqual(['tocsin']);
});
