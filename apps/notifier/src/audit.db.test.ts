import { randomUUID } from 'node:crypto';
import { addSilence, audit } from '@tocsin/alert-service';
import type { AuditCheck } from '@tocsin/alert-service';
import { createTestDatabase } from '@tocsin/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { emptyTables, failure, openWorld, route, writeAsDetector } from './notifier-world.fixture.ts';
import type { NotifierWorld } from './notifier-world.fixture.ts';
import type { FetchLike } from './self-watch/ping-deadman.ts';
import { auditToldAfterMs, createSelfWatch } from './self-watch/self-watch.ts';
import type { AuditResult, SelfWatchOptions } from './self-watch/self-watch.ts';

const database = await createTestDatabase();
const minutes = (count: number): number => count * 60_000;

let world: NotifierWorld;
const open = async (
  ...args: Parameters<typeof openWorld> extends [unknown, ...infer Rest] ? Rest : never
): Promise<NotifierWorld> => {
  world = await openWorld(database, ...args);
  return world;
};
const found = async (): Promise<readonly AuditCheck[]> =>
  (await audit(world.service)).problems.map(({ check }) => check);
const inSession = <Result>(work: Parameters<typeof world.service.store.transaction<Result>>[1]): Promise<Result> =>
  world.service.store.transaction('test', work);

beforeEach(() => emptyTables(database));
afterEach(() => world.close());

test('is clean where nothing is, while failures are on their way, and when they were told', async () => {
  const escalation = {
    name: 'night',
    levels: [{ afterMs: minutes(30), channels: ['oncall'], severities: null }],
    repeat: null,
  };
  await open({ routes: [route({ escalation })] });
  expect(await audit(world.service)).toMatchObject({ clean: true, problems: [] });
  await world.signal(failure(), failure({ targetId: 'albums' }));
  await world.run();
  expect(await found()).toEqual([]);
  await world.advance(minutes(15));
  await world.run();
  expect(await found()).toEqual([]);
  await world.advance(minutes(60));
  await world.run();
  expect(await found()).toEqual([]);
});

test('finds an open alert whose next action nobody takes', async () => {
  const escalation = {
    name: 'night',
    levels: [{ afterMs: minutes(30), channels: ['oncall'], severities: null }],
    repeat: null,
  };
  await open({ routes: [route({ windowMs: 0, escalation })] });
  await world.signal(failure());
  await world.run();
  await world.advance(minutes(34));
  expect(await found()).toEqual([]);
  await world.advance(minutes(2));
  expect(await found()).toEqual(['overdue-alerts']);
  await world.run();
  expect(await found()).toEqual([]);
});

test('finds an attempt without an end', async () => {
  await open({ routes: [route({ windowMs: 0 })] });
  world.answers.push(() => ({
    outcome: 'retry',
    reason: 'server-error',
    status: 500,
    retryAfterMs: minutes(1),
    detail: 'later',
  }));
  await world.signal(failure());
  await world.run();
  await world.advance(minutes(1));
  const { rows } = await database.pool.query<{ id: never }>('select id from tocsin.deliveries');
  await inSession((session) => session.claimDelivery(rows[0]!.id, { id: randomUUID(), timeoutMs: minutes(1) }));
  expect(await found()).toEqual([]);
  await world.advance(minutes(4));
  expect(await found()).toEqual(['stale-attempts']);
});

test('finds failures that were announced and that nobody decides on', async () => {
  await open();
  const signal = failure();
  await writeAsDetector(world.service.store, [signal]);
  expect(await found()).toEqual([]);
  await world.advance(minutes(3));
  expect(await found()).toEqual(['unaccounted-failures']);
  await world.signal(signal);
  await world.run();
  expect(await found()).toEqual([]);
});

test('finds a silence that was not carried out', async () => {
  await open();
  await addSilence(world.service, {
    match: { source: ['apple'] },
    by: 'night shift',
    reason: null,
    end: { until: 'span', ms: minutes(60) },
    startsAt: new Date(Date.now() + minutes(1)).toISOString(),
  });
  expect(await found()).toEqual([]);
  await world.advance(minutes(7));
  expect(await found()).toEqual(['overdue-silences']);
  await world.run();
  expect(await found()).toEqual([]);
});

test('finds alerts that no channel told of, and a channel that its provider refuses', async () => {
  await open({ routes: [route({ windowMs: 0 })] });
  world.script.set('email', () => ({ outcome: 'rejected', reason: 'bad-request', status: 400, detail: 'no' }));
  await world.signal(failure());
  await world.run();
  expect(await found()).toEqual(['untold-alerts']);
  await inSession((session) => session.parkChannel('email', 'unauthorized'));
  expect(await found()).toEqual(['untold-alerts', 'parked-channels']);
});

test('finds a silent detector, and tables it does not get on with', async () => {
  await open();
  const beat = (data: Readonly<Record<string, unknown>>) =>
    inSession((session) => session.beat('detector', 'here:1', data));
  await beat({ tables: [{ table: 'research_jobs', problem: null }] });
  expect(await found()).toEqual([]);
  await beat({ tables: [{ table: 'research_jobs', problem: 'no such column' }] });
  expect((await audit(world.service)).problems).toMatchObject([
    { check: 'unread-tables', count: 1, words: expect.stringContaining('research_jobs') },
  ]);
  await beat({ tables: [] });
  await world.advance(61_000);
  expect(await found()).toEqual(['detector']);
});

const watch = (over: Partial<SelfWatchOptions> = {}) => {
  const asked: string[] = [];
  const audits: AuditResult[] = [];
  const clock = { ms: 0 };
  const answer = { status: 200 };
  const fetch: FetchLike = async (url) => {
    asked.push(url);
    if (answer.status === 0) throw new TypeError('fetch failed');
    return answer;
  };
  const selfWatch = createSelfWatch({
    service: world.service,
    deadmanUrl: 'http://127.0.0.1:1/ping/secret',
    fetch,
    canary: null,
    onAudit: (result) => audits.push(result),
    monotonicMs: () => clock.ms,
    ...over,
  });
  return { selfWatch, asked, audits, clock, answer };
};

test("the dead-man's switch is asked after a clean audit and after no other", async () => {
  await open();
  const { selfWatch, asked, audits, answer } = watch();
  expect(await selfWatch.auditNow()).toMatchObject({ clean: true, pinged: true });
  expect(asked).toEqual(['http://127.0.0.1:1/ping/secret']);
  expect(selfWatch.status()).toMatchObject({ deadmanPingedAtMs: expect.any(Number), audit: { clean: true } });
  answer.status = 500;
  expect(await selfWatch.auditNow()).toMatchObject({ clean: true, pinged: false });
  answer.status = 0;
  expect(await selfWatch.auditNow()).toMatchObject({ clean: true, pinged: false });
  await inSession((session) => session.parkChannel('email', 'unauthorized'));
  expect(await selfWatch.auditNow()).toMatchObject({ clean: false, pinged: null });
  expect(asked).toHaveLength(3);
  expect(audits.map(({ clean }) => clean)).toEqual([true, true, true, false]);
  const without = watch({ deadmanUrl: null });
  await inSession((session) => session.unparkChannel('email'));
  expect(await without.selfWatch.auditNow()).toMatchObject({ clean: true, pinged: null });
});

test('what the audit goes on finding is told once, and that it is clean again', async () => {
  await open({ routes: [route({ windowMs: 0 })] });
  const { selfWatch, clock } = watch();
  const signal = failure();
  await writeAsDetector(world.service.store, [signal]);
  await world.advance(minutes(3));
  await selfWatch.auditNow();
  clock.ms += auditToldAfterMs - 1;
  await selfWatch.auditNow();
  await world.run();
  expect(world.sent).toEqual([]);
  clock.ms += 1;
  await selfWatch.auditNow();
  await selfWatch.auditNow();
  await world.run();
  expect(world.sent.map(({ outgoing }) => outgoing.message.items)).toMatchObject([[{ title: 'Audit', kind: 'new' }]]);
  expect(world.sent[0]?.outgoing.message.items[0]?.causes[0]?.error).toContain('announced and not decided on');
  await world.signal(signal);
  await world.run();
  await selfWatch.auditNow();
  await world.run();
  expect((await world.alerts()).find(({ source }) => source === 'tocsin')).toMatchObject({ state: 'resolved' });
});
