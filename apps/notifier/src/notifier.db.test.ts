import { acknowledge, resolveByHand } from '@tocsin/alert-service';
import { createTestDatabase } from '@tocsin/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { appleCatalog, emptyTables, failure, openWorld, route, success } from './notifier-world.fixture.ts';
import type { NotifierWorld } from './notifier-world.fixture.ts';

const database = await createTestDatabase();
const minutes = (count: number): number => count * 60_000;
const at = (minute: number): string => new Date(Date.UTC(2026, 2, 2, 3, minute)).toISOString();

const secondLine: NonNullable<ReturnType<typeof route>['escalation']> = {
  name: 'second-line',
  levels: [{ afterMs: minutes(30), channels: ['oncall'], severities: null }],
  repeat: null,
};

let world: NotifierWorld;
const open = async (
  ...args: Parameters<typeof openWorld> extends [unknown, ...infer Rest] ? Rest : never
): Promise<NotifierWorld> => {
  world = await openWorld(database, ...args);
  return world;
};

beforeEach(() => emptyTables(database));
afterEach(() => world.close());

test('a failure is told once, when the window of its route ends', async () => {
  await open();
  const signal = failure();
  await world.signal(signal, signal);
  await world.signal(signal);
  await world.run();
  expect(world.sent).toHaveLength(0);
  expect((await world.alerts()).map(({ state }) => state)).toEqual(['batched']);

  await world.advance(minutes(15));
  await world.run();
  expect(world.sent).toHaveLength(1);
  expect(world.sent[0]?.outgoing.message.subject).toBe('apple/refresh_catalog/songs failed');
  expect((await world.alerts()).map(({ state, occurrences }) => [state, occurrences])).toEqual([['notified', 1]]);

  await world.advance(minutes(60));
  await world.signal(signal);
  await world.run();
  await world.advance(minutes(60));
  await world.run();
  expect(world.sent).toHaveLength(1);
});

test('story 12: a further failure of an open alert is told in the same conversation', async () => {
  await open();
  await world.signal(failure({ failedAt: at(0) }));
  await world.run();
  await world.advance(minutes(15));
  await world.run();
  await world.signal(failure({ failedAt: at(20) }));
  await world.run();
  await world.advance(minutes(15));
  await world.run();
  expect(world.sent).toHaveLength(2);
  const [first, second] = world.sent.map(({ outgoing }) => outgoing);
  expect(second?.message).toMatchObject({
    followUp: true,
    threadId: first?.message.threadId,
    subject: first?.message.subject,
  });
  expect(first?.messageId).toBe(first?.message.threadId);
  expect(second?.messageId).not.toBe(first?.messageId);
  expect(second?.message.items[0]?.kind).toBe('again');
});

test('story 7 and 9: three failed refreshes and the missing rebuild are one alert in one mail, and the next green run resolves it, and only then', async () => {
  await open({ chains: appleCatalog });
  const run = '2026-03-02T03:00:00Z';
  const steps = ['albums', 'songs', 'artists'].map((targetId) => ({
    jobType: 'refresh_catalog',
    targetId,
    status: 'failed',
  }));
  await world.signal(
    ...steps.map(({ targetId }, index) =>
      failure({ targetId, run, failedAt: at(index), runContext: { steps, learned: [], lastGreenAt: at(0) } }),
    ),
  );
  await world.run();
  await world.advance(minutes(15));
  await world.run();
  expect(world.sent).toHaveLength(1);
  expect(world.sent[0]?.outgoing.message).toMatchObject({
    subject: expect.stringContaining('rebuild_index did not run'),
  });
  expect(await world.alerts()).toHaveLength(1);

  const next = '2026-03-09T03:00:00Z';
  const green = (jobType: string, targetId: string | null, minute: number) =>
    success({ jobType, targetId, run: next, finishedAt: new Date(Date.UTC(2026, 2, 9, 3, minute)).toISOString() });
  await world.signal(
    green('refresh_catalog', 'albums', 1),
    green('refresh_catalog', 'songs', 2),
    green('refresh_catalog', 'artists', 3),
  );
  await world.run();
  await world.advance(minutes(15));
  await world.run();
  expect((await world.alerts())[0]?.state).toBe('notified');
  expect(world.sent).toHaveLength(1);

  await world.signal(green('rebuild_index', null, 4));
  await world.run();
  expect((await world.alerts())[0]).toMatchObject({ state: 'resolved', resolution: { reason: 'chain-run-green' } });
  await world.advance(minutes(15));
  await world.run();
  expect(world.sent).toHaveLength(2);
  expect(world.sent[1]?.outgoing.message).toMatchObject({
    followUp: true,
    threadId: world.sent[0]?.outgoing.message.threadId,
  });
  expect(world.sent[1]?.outgoing.message.headline).toMatch(/^Resolved: apple\/catalog/);
  expect((await world.alerts())[0]?.resolutionToldTo).toEqual(['default email']);
});

test('story 19: what failed and recovered within one window is told once', async () => {
  await open();
  await world.signal(failure({ failedAt: at(2) }));
  await world.signal(success({ finishedAt: at(7) }));
  await world.run();
  await world.advance(minutes(15));
  await world.run();
  await world.advance(minutes(60));
  await world.run();
  expect(world.sent).toHaveLength(1);
  expect(world.sent[0]?.outgoing.message.items.map(({ kind }) => kind)).toEqual(['recovered']);
});

test('a success that arrives before the failure it follows resolves it', async () => {
  await open();
  await world.signal(success({ finishedAt: at(7) }));
  await world.run();
  await world.signal(failure({ failedAt: at(2) }));
  await world.run();
  expect((await world.alerts()).map(({ state }) => state)).toEqual(['resolved']);
});

test('story 11: a success that finished before the failure changes nothing', async () => {
  await open();
  await world.signal(failure({ failedAt: at(7) }));
  await world.signal(success({ finishedAt: at(2) }));
  await world.run();
  expect((await world.alerts()).map(({ state }) => state)).toEqual(['batched']);
});

test('story 13: what nobody acknowledges is told to the next level once, with who was told before', async () => {
  const escalation = secondLine;
  await open({ routes: [route({ windowMs: 0, escalation })] });
  await world.signal(failure());
  await world.run();
  expect(world.sent.map(({ channel }) => channel)).toEqual(['email']);
  await world.advance(minutes(30));
  await world.run();
  expect(world.sent.map(({ channel }) => channel)).toEqual(['email', 'oncall']);
  expect(world.sent[1]?.outgoing.message.items[0]).toMatchObject({
    kind: 'escalated',
    escalation: { level: 1, name: 'second-line', toldBefore: [{ channel: 'email' }] },
  });
  await world.advance(minutes(600));
  await world.run();
  expect(world.sent).toHaveLength(2);

  await world.signal(success({ finishedAt: new Date(Date.now() + minutes(1)).toISOString() }));
  await world.run();
  expect(
    world.sent
      .slice(2)
      .map(({ channel }) => channel)
      .toSorted(),
  ).toEqual(['email', 'oncall']);
  expect((await world.alerts())[0]?.state).toBe('resolved');
});

test('story 13: an acknowledged alert is not escalated', async () => {
  const escalation = secondLine;
  await open({ routes: [route({ windowMs: 0, escalation })] });
  await world.signal(failure());
  await world.run();
  const [alert] = await world.alerts();
  const command = { by: 'night shift', via: 'cli', lease: { until: 'success' }, note: null } as const;
  const [first, second] = await Promise.all([
    acknowledge(world.service, alert!.id, command),
    acknowledge(world.service, alert!.id, { ...command, by: 'somebody else' }),
  ]);
  expect([first, second].filter(({ done }) => done)).toHaveLength(1);
  expect([first, second].find(({ done }) => !done)).toMatchObject({
    refused: expect.stringMatching(/^already acknowledged by/),
  });
  await world.advance(minutes(60));
  await world.run();
  expect(world.sent.map(({ channel }) => channel)).toEqual(['email']);
});

test('story 14: an acknowledgement that runs out is told once, naming whose it was', async () => {
  await open({ routes: [route({ windowMs: 0 })] });
  await world.signal(failure());
  await world.run();
  const [alert] = await world.alerts();
  await acknowledge(world.service, alert!.id, {
    by: 'night shift',
    via: 'cli',
    lease: { until: 'span', ms: minutes(60) },
    note: null,
  });
  await world.signal(failure());
  await world.run();
  expect(world.sent).toHaveLength(1);
  await world.advance(minutes(61));
  await world.run();
  expect(world.sent).toHaveLength(2);
  expect(world.sent[1]?.outgoing.message.items[0]).toMatchObject({
    kind: 'lapsed',
    lapse: { by: 'night shift' },
    failures: 1,
  });
  await world.advance(minutes(600));
  await world.run();
  expect(world.sent).toHaveLength(2);
});

test('story 15: a new cause ends an acknowledgement that held for the old one', async () => {
  await open({ routes: [route({ windowMs: 0 })] });
  await world.signal(failure());
  await world.run();
  const [alert] = await world.alerts();
  await acknowledge(world.service, alert!.id, {
    by: 'night shift',
    via: 'cli',
    lease: { until: 'signature-change' },
    note: null,
  });
  await world.signal(failure({ error: 'HTTP 503 from http://127.0.0.1:4999/songs' }));
  await world.run();
  expect(world.sent).toHaveLength(1);
  await world.signal(failure({ error: 'disk full' }));
  await world.run();
  expect(world.sent).toHaveLength(2);
  expect(world.sent[1]?.outgoing.message.items[0]).toMatchObject({ kind: 'lapsed', failures: 2 });
});

test('an operator resolves an alert, and those who were told are told so', async () => {
  await open({ routes: [route({ windowMs: 0 })] });
  await world.signal(failure());
  await world.run();
  const [alert] = await world.alerts();
  expect(
    await resolveByHand(world.service, alert!.id, { by: 'night shift', note: 'not needed any more' }),
  ).toMatchObject({ done: true });
  expect(await resolveByHand(world.service, alert!.id, { by: 'night shift', note: null })).toMatchObject({
    done: false,
  });
  await world.run();
  expect(world.sent.map(({ outgoing }) => outgoing.message.items[0]?.kind)).toEqual(['new', 'resolved']);
});

test('story 21: a failure after the resolution opens a new alert that names its predecessor', async () => {
  await open({ routes: [route({ windowMs: 0 })] });
  await world.signal(failure({ failedAt: at(0) }));
  await world.run();
  await world.signal(success({ finishedAt: at(5) }));
  await world.run();
  await world.signal(failure({ failedAt: at(15) }));
  await world.run();
  const alerts = await world.alerts();
  expect(alerts).toHaveLength(2);
  const again = alerts.find(({ state }) => state !== 'resolved');
  expect(again?.predecessor).toMatchObject({ alertId: alerts.find(({ state }) => state === 'resolved')?.id });
});

test('story 24: a provider that asks for patience gets it, and other channels go out', async () => {
  await open({ routes: [route({ windowMs: 0, channels: ['email', 'chat'] })] });
  const busy = {
    outcome: 'retry',
    reason: 'rate-limited',
    retryAfterMs: minutes(10),
    status: 429,
    detail: 'slow down',
  } as const;
  const fine = { outcome: 'accepted', providerMessageId: null, status: 202 } as const;
  world.answers.push(...[0, 1].map(() => (channel: string) => (channel === 'email' ? busy : fine)));
  await world.signal(failure());
  await world.run();
  expect(world.sent.map(({ channel }) => channel).toSorted()).toEqual(['chat', 'email']);
  await world.advance(minutes(9));
  await world.run();
  expect(world.sent).toHaveLength(2);
  await world.advance(minutes(2));
  await world.run();
  expect(world.sent.map(({ channel }) => channel).toSorted()).toEqual(['chat', 'email', 'email']);
  expect((await world.alerts())[0]?.told.map(({ channel }) => channel).toSorted()).toEqual(['chat', 'email']);
});

test('story 25: an attempt without an answer is recorded as unknown and repeated with the same Message-ID', async () => {
  await open({ routes: [route({ windowMs: 0 })] });
  world.answers.push(() => ({ outcome: 'unknown', reason: 'timeout', status: null, detail: 'no answer' }));
  await world.signal(failure());
  await world.run();
  expect((await world.alerts())[0]?.state).toBe('batched');
  await world.advance(minutes(1));
  await world.run();
  expect(new Set(world.sent.map(({ outgoing }) => outgoing.messageId)).size).toBe(1);
  expect(new Set(world.sent.map(({ outgoing }) => outgoing.attemptId)).size).toBe(2);
  const { rows } = await database.pool.query('select outcome, reason from tocsin.delivery_attempts order by number');
  expect(rows).toEqual([
    { outcome: 'unknown', reason: 'timeout' },
    { outcome: 'accepted', reason: null },
  ]);
  expect((await world.alerts())[0]?.state).toBe('notified');
});

test('story 26: a channel that refuses the key is replaced by the next, which tells the failure and that the first is broken; the resolution goes to the one that told', async () => {
  await open({ routes: [route({ windowMs: 0, fallback: ['outbox'] })], channels: ['email', 'outbox'] });
  world.answers.push(() => ({ outcome: 'rejected', reason: 'unauthorized', status: 401, detail: 'bad key' }));
  await world.signal(failure({ failedAt: at(0) }));
  await world.run();
  expect(world.sent.map(({ channel, outgoing }) => [channel, outgoing.message.items[0]?.title])).toEqual([
    ['email', 'apple/refresh_catalog/songs'],
    ['outbox', 'apple/refresh_catalog/songs'],
    ['outbox', 'Channel email'],
  ]);
  expect(world.sent[1]?.outgoing.message.notices[0]).toContain('unauthorized');
  await world.signal(success({ finishedAt: at(5) }));
  await world.run();
  expect(world.sent.slice(3).map(({ channel }) => channel)).toEqual(['outbox']);
});

test('a message every channel refuses is not forgotten: its news is put into the next digest', async () => {
  await open({ routes: [route({ windowMs: 0 })] });
  world.answers.push(() => ({ outcome: 'rejected', reason: 'bad-request', status: 400, detail: 'no' }));
  await world.signal(failure());
  await world.run();
  expect((await world.alerts())[0]).toMatchObject({ state: 'detected', failedDeliveries: 1 });
  // The next run, or the daemon within a quarter of an hour, puts the news back on its way.
  await world.run();
  expect((await world.alerts())[0]?.state).toBe('notified');
});

test('a recovery between the composing and the accepting of a digest is told to those who read the failure', async () => {
  await open({ routes: [route({ windowMs: 0 })] });
  world.answers.push(() => ({
    outcome: 'retry',
    reason: 'server-error',
    retryAfterMs: minutes(5),
    status: 500,
    detail: 'later',
  }));
  await world.signal(failure({ failedAt: at(0) }));
  await world.run();
  await world.signal(success({ finishedAt: at(1) }));
  await world.run();
  expect((await world.alerts())[0]?.state).toBe('resolved');
  await world.advance(minutes(5));
  await world.run();
  expect(world.sent.map(({ outgoing }) => outgoing.message.items[0]?.kind)).toEqual(['new', 'new', 'resolved']);
});

test('one unreadable signal is put into quarantine, is told, and holds back nothing', async () => {
  await open({ routes: [route({ windowMs: 0 })] });
  await world.signal(
    failure(),
    { signal: 'FailureDetected', v: 1, source: 5 },
    'nonsense',
    failure({ targetId: 'albums' }),
  );
  await world.run();
  expect((await world.alerts()).map(({ key }) => key).toSorted()).toEqual([
    'job/apple/refresh_catalog/albums',
    'job/apple/refresh_catalog/songs',
    'job/tocsin/read_signal',
  ]);
  const { rows } = await database.pool.query('select count(*)::int as count from tocsin.quarantine');
  expect(rows).toEqual([{ count: 2 }]);
  expect(world.sent.flatMap(({ outgoing }) => outgoing.message.items.map(({ title }) => title))).toContain(
    'tocsin/read_signal',
  );
});

test('story 5: forty failures of three types within a window are one mail', async () => {
  await open();
  const types = ['resize_image', 'send_invoice', 'sync_contacts'];
  await world.signal(
    ...Array.from({ length: 40 }, (_, index) =>
      failure({
        source: 'shop',
        jobType: types[index % 3],
        targetId: `t${index}`,
        error: `cause of ${types[index % 3]}: id ${index}`,
      }),
    ),
  );
  await world.run();
  await world.advance(minutes(15));
  await world.run();
  expect(world.sent).toHaveLength(1);
  const message = world.sent[0]?.outgoing.message;
  expect(message?.items.map(({ failures, alerts, title }) => [title, failures, alerts])).toEqual([
    ['shop/resize_image', 14, 14],
    ['shop/send_invoice', 13, 13],
    ['shop/sync_contacts', 13, 13],
  ]);
  expect(message?.totals).toMatchObject({ failures: 40, alerts: 40 });
});

test('each message of a conversation says how many of its alerts are open', async () => {
  await open({ routes: [route({ windowMs: 0 })] });
  const later = (targetId: string, minute: number) => success({ targetId, finishedAt: at(minute) });
  await world.signal(failure({ targetId: 'songs', failedAt: at(0) }), failure({ targetId: 'albums', failedAt: at(0) }));
  await world.run();
  for (const signal of [
    failure({ targetId: 'songs', failedAt: at(5) }),
    later('songs', 10),
    failure({ targetId: 'artists', failedAt: at(10) }),
    later('albums', 15),
  ]) {
    await world.signal(signal);
    await world.run();
  }
  expect(world.sent.map(({ outgoing: { message } }) => [message.items[0]?.kind, message.threadOpen])).toEqual([
    ['new', 2],
    ['again', 2],
    ['resolved', 1],
    ['new', 1],
    ['resolved', 0],
  ]);
});

test('a message shows as many items as its route wants, and counts the rest', async () => {
  await open({ routes: [route({ windowMs: 0, itemsMax: 2 })] });
  await world.signal(
    ...['a', 'b', 'c', 'd'].map((targetId) => failure({ targetId, error: `cause ${targetId}${targetId}` })),
  );
  await world.run();
  expect(world.sent[0]?.outgoing.message).toMatchObject({ omittedAlerts: 2 });
  expect(world.sent[0]?.outgoing.message.items).toHaveLength(2);
});
