import { createTestDatabase } from '@tocsin/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  condition,
  ended,
  failure,
  openWorld,
  repaired,
  route,
  success,
  writeAsDetector,
} from './notifier-world.fixture.ts';
import type { NotifierWorld } from './notifier-world.fixture.ts';

const database = await createTestDatabase();
const at = (minute: number): string => new Date(Date.UTC(2026, 2, 2, 3, minute)).toISOString();

let world: NotifierWorld;
let sources = 0;

beforeAll(async () => {
  world = await openWorld(database, { routes: [route({ windowMs: 60_000 })] });
});
afterAll(() => world.close());

/** A source of its own for each test, so that they share a world. */
const newSource = (): string => `source-${(sources += 1)}`;
const alertsOf = async (source: string) => (await world.alerts()).filter((alert) => alert.source === source);
const itemsOf = (source: string) =>
  world.sent.flatMap(({ outgoing }) => outgoing.message.items.filter((item) => item.source === source));
const deliver = async (): Promise<void> => {
  await world.run();
  await world.advance(60_000);
  await world.run();
};

test('a condition that ends is taken back from those who were told, and resolves its alert', async () => {
  const source = newSource();
  const begun = condition({ source, failedAt: at(0) });
  await world.signal(begun);
  await deliver();
  expect(itemsOf(source).map(({ kind }) => kind)).toEqual(['new']);
  await world.signal(ended(begun, { endedAt: at(20) }));
  await deliver();
  expect(await alertsOf(source)).toMatchObject([
    {
      state: 'resolved',
      resolution: { reason: 'retracted', note: 'heartbeat again' },
      resolutionToldTo: ['default email'],
    },
  ]);
  expect(itemsOf(source).map(({ kind }) => kind)).toEqual(['new', 'resolved']);
});

test('an end that overtakes its beginning still retracts it, and both are told as one', async () => {
  const source = newSource();
  const begun = condition({ source, failedAt: at(0) });
  const end = ended(begun, { endedAt: at(20) });
  await writeAsDetector(world.service.store, [begun, end]);
  await world.signal(end);
  await world.run();
  expect(await alertsOf(source)).toEqual([]);
  await world.signal(begun);
  await deliver();
  expect(await alertsOf(source)).toMatchObject([{ state: 'resolved', suspicions: {}, occurrences: 1 }]);
  expect(itemsOf(source).map(({ kind }) => kind)).toEqual(['recovered']);
  await world.signal(end, begun);
  await deliver();
  expect(itemsOf(source)).toHaveLength(1);
});

test('the end stands when it is in the same batch before its beginning, whatever their clocks say', async () => {
  const source = newSource();
  const begun = condition({ source, failedAt: at(10) });
  await world.signal(ended(begun, { endedAt: at(9), cause: 'succeeded' }), begun);
  await deliver();
  expect(await alertsOf(source)).toMatchObject([{ state: 'resolved', resolution: { reason: 'succeeded' } }]);
});

test('while one of two conditions holds, the alert stays open, and a success alone resolves nothing', async () => {
  const source = newSource();
  const [one, two] = [condition({ source, failedAt: at(0) }), condition({ source, failedAt: at(1) })];
  await world.signal(one, two);
  await deliver();
  await world.signal(ended(one, { endedAt: at(5) }), success({ source, finishedAt: at(6) }));
  await deliver();
  expect(await alertsOf(source)).toMatchObject([{ state: 'notified', occurrences: 2 }]);
  expect(itemsOf(source).at(-1)).toMatchObject({
    kind: 'update',
    developments: [{ what: 'retracted', jobId: one.jobId, detail: 'heartbeat again' }],
  });
  await world.signal(ended(two, { endedAt: at(7) }));
  await deliver();
  expect(await alertsOf(source)).toMatchObject([{ state: 'resolved' }]);
});

test('a job that ends badly owes a success, also one that was heard of before', async () => {
  const [early, late] = [newSource(), newSource()];
  const [first, second] = [condition({ source: early, failedAt: at(0) }), condition({ source: late, failedAt: at(0) })];
  await world.signal(first, second);
  await world.run();
  await world.signal(success({ source: early, finishedAt: at(30) }));
  await world.signal(
    ended(first, { cause: 'ended', endedAt: at(10) }),
    ended(second, { cause: 'ended', endedAt: at(10) }),
  );
  await world.run();
  expect(await alertsOf(early)).toMatchObject([{ state: 'resolved', resolution: { reason: 'succeeded' } }]);
  expect(await alertsOf(late)).toMatchObject([{ state: 'batched', suspicions: {} }]);
  await world.signal(failure({ source: late, failedAt: at(10) }), success({ source: late, finishedAt: at(30) }));
  await deliver();
  expect(await alertsOf(late)).toMatchObject([{ state: 'resolved', occurrences: 2 }]);
});

test('a repair is told once, before the end it leads to, in whatever order they come', async () => {
  const source = newSource();
  const begun = condition({ source, failedAt: at(0) });
  const other = condition({ source, failedAt: at(0) });
  const [repair, end] = [repaired(begun, { actedAt: at(1) }), ended(begun, { endedAt: at(2) })];
  await world.signal(other);
  await deliver();
  await writeAsDetector(world.service.store, [other, begun, repair, end]);
  await world.signal(end);
  await world.signal(repair);
  await world.run();
  await world.signal(begun);
  await world.run();
  await world.signal(repair, end);
  await deliver();
  expect(itemsOf(source)).toMatchObject([
    { kind: 'new' },
    { kind: 'again', failures: 1, developments: [{ what: 'requeued' }, { what: 'retracted' }] },
  ]);
  expect(await alertsOf(source)).toMatchObject([{ state: 'notified', occurrences: 2, repairs: [repair.repairId] }]);
  const { rows } = await database.pool.query('select alert_id from tocsin.repairs where id = $1', [repair.repairId]);
  expect(rows).toEqual([{ alert_id: (await alertsOf(source))[0]?.id }]);
});

test('a repair is told once also when more repairs of its alert were told since than the alert remembers', async () => {
  const source = newSource();
  const begun = Array.from({ length: 30 }, (_, minute) => condition({ source, failedAt: at(minute) }));
  const repairs = begun.map((one) => repaired(one));
  await writeAsDetector(world.service.store, [...begun, ...repairs]);
  await world.signal(...begun);
  await world.run();
  await world.signal(...repairs);
  await world.run();
  await world.signal(...begun.map((one) => ended(one, { endedAt: at(40) })), ...repairs);
  await world.run();
  const { rows } = await database.pool.query<{ readonly told: number }>(
    `select count(*)::integer as told from tocsin.events
     where type = 'JobRepaired' and stream_id = 'alert-' || (select id from tocsin.alerts where source = $1)`,
    [source],
  );
  expect(rows).toEqual([{ told: repairs.length }]);
});

test('an end and a repair of a condition that a rule ignores lead to nothing', async () => {
  const source = newSource();
  const ignoring = await openWorld(database, {
    rules: [{ name: 'rules[0]', match: { source: [source] }, ignore: true }],
  });
  const begun = condition({ source, failedAt: at(0) });
  await ignoring.signal(begun, repaired(begun), ended(begun));
  await ignoring.run();
  await ignoring.close();
  expect(await alertsOf(source)).toEqual([]);
  const { rows } = await database.pool.query('select disposition from tocsin.outcomes where id = $1', [
    begun.outcomeId,
  ]);
  expect(rows).toEqual([{ disposition: 'ignored' }]);
});

test('an end that cannot be read is put into quarantine and holds back nothing', async () => {
  const source = newSource();
  const [one, two] = [condition({ source, failedAt: at(0) }), condition({ source, failedAt: at(1) })];
  await world.signal(one, two);
  await world.run();
  await world.signal({ ...ended(one), cause: 'of boredom' }, { ...repaired(two), action: 'pray' }, ended(two));
  await deliver();
  expect(Object.keys((await alertsOf(source))[0]?.suspicions ?? {})).toEqual([one.outcomeId]);
  const { rows } = await database.pool.query(`select payload ->> 'signal' as signal from tocsin.quarantine order by 1`);
  expect(rows).toEqual([{ signal: 'ConditionEnded' }, { signal: 'JobRepaired' }]);
  expect(await alertsOf('tocsin')).toMatchObject([{ jobType: 'read_signal' }]);
});
