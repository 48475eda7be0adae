import { Buffer } from 'node:buffer';
import { startPagerDutyDouble } from '@tocsin/testing';
import type { HttpBehaviour, PagerDutyDouble } from '@tocsin/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { channelContract } from '../channel.contract.ts';
import type { Harness } from '../channel.contract.ts';
import { createChannel } from '../create-channel.ts';
import { httpFailures } from '../http-failures.contract.ts';
import { recordingLog, sampleItem, sampleOutgoing } from '../sample-outgoing.contract.ts';
import { eventBytesMax, pagerDutyEvents } from './pagerduty-event.ts';

const harnessFor = (
  double: PagerDutyDouble,
  { baseUrl, routingKey }: { readonly baseUrl?: string; readonly routingKey?: string } = {},
): Harness => {
  const log = recordingLog();
  const key = routingKey ?? double.routingKey;
  return {
    channel: createChannel(
      'primary',
      { type: 'pagerduty', routingKey: key, baseUrl: baseUrl ?? double.baseUrl },
      { log },
    ),
    secrets: [key],
    log,
    received: async () => null,
    // The key of an incident is the alert's, not the message's.
    bodies: () => double.taken().map(({ body }) => ({ identity: null, body })),
    requests: () => double.requests().length,
    stop: double.stop,
  };
};

const behaving = async (...behaviours: readonly HttpBehaviour[]): Promise<Harness> => {
  const double = await startPagerDutyDouble();
  double.next(...behaviours);
  return harnessFor(double);
};

channelContract('PagerDuty', {
  start: behaving,
  domain: null,
  failures: [
    ...httpFailures({
      behaving,
      at: async (change) => {
        const double = await startPagerDutyDouble();
        return harnessFor(double, { baseUrl: change(new URL(double.baseUrl)) });
      },
      untrusted: async () => harnessFor(await startPagerDutyDouble({ tls: true })),
    }),
    {
      title: '400 about the routing key as unauthorized',
      start: async () => harnessFor(await startPagerDutyDouble(), { routingKey: 'too-short' }),
      outcome: 'rejected',
      reason: 'unauthorized',
      status: 400,
    },
    {
      title: '400 about another key than its own as unauthorized',
      start: async () => harnessFor(await startPagerDutyDouble(), { routingKey: 'x'.repeat(32) }),
      outcome: 'rejected',
      reason: 'unauthorized',
      status: 400,
    },
  ],
});

const resolution = {
  resolvedAt: '2026-11-16T04:10:00Z',
  reason: 'succeeded',
  by: null,
  note: null,
  downtimeMs: 4_039_000,
};
const failing = (index: number) => sampleItem({ alertId: `alert-${index}`, title: `job ${index} failed` });
const fine = (index: number) =>
  sampleItem({ alertId: `alert-${index}`, kind: 'resolved', failures: 0, causes: [], resolution });
const many = (count: number, make = failing) => Array.from({ length: count }, (_, index) => make(index));

describe('the PagerDuty channel', () => {
  const doubles: PagerDutyDouble[] = [];
  const started = async (): Promise<PagerDutyDouble> => {
    const double = await startPagerDutyDouble();
    doubles.push(double);
    return double;
  };
  afterEach(async () => {
    for (const double of doubles.splice(0)) await double.stop();
  });
  const options = { signal: new AbortController().signal, timeoutMs: 10_000 };

  test('opens one incident per alert, under the id of the alert, and resolves it', async () => {
    const double = await started();
    const { channel } = harnessFor(double);
    const outgoing = sampleOutgoing({
      items: [
        sampleItem({
          alertId: 'alert-0',
          severity: 'critical',
          title: 'apple/refresh_catalog/songs failed',
          adminUrl: 'https://admin.example.com/jobs/1',
          tocsinUrl: 'https://tocsin.example.com/alerts/alert-0',
        }),
        failing(1),
      ],
    });
    expect(await channel.send(outgoing, options)).toEqual({
      outcome: 'accepted',
      providerMessageId: 'alert-0',
      status: 202,
    });
    expect(double.openIncidents().toSorted()).toEqual(['alert-0', 'alert-1']);
    const event = double.taken().find(({ dedupKey }) => dedupKey === 'alert-0');
    expect(event).toMatchObject({
      severity: 'critical',
      body: {
        client_url: 'https://tocsin.example.com/alerts/alert-0',
        links: [{ href: 'https://admin.example.com/jobs/1' }, { href: 'https://tocsin.example.com/alerts/alert-0' }],
        payload: {
          source: 'apple',
          component: 'refresh_catalog',
          custom_details: { target: 'songs', causes: [{ error: 'HTTPError: 502 Bad Gateway', count: 1 }] },
        },
      },
    });
    const later = sampleOutgoing({ followUp: true, threadOpen: 1, items: [fine(0)] });
    expect((await channel.send(later, options)).outcome).toBe('accepted');
    expect(double.openIncidents()).toEqual(['alert-1']);
  });

  test.each(['info', 'warning', 'error', 'critical'] as const)('says %s as PagerDuty does', async (severity) => {
    const double = await started();
    await harnessFor(double).channel.send(sampleOutgoing({ items: [sampleItem({ severity })] }), options);
    expect(double.taken().map((event) => event.severity)).toEqual([severity]);
  });

  test('opens twenty incidents for twenty alerts, and one for twenty-one', async () => {
    const [twenty, more] = [await started(), await started()];
    await harnessFor(twenty).channel.send(sampleOutgoing({ items: many(20) }), options);
    expect(twenty.openIncidents()).toHaveLength(20);
    const outgoing = sampleOutgoing({ items: many(20), omittedAlerts: 1, headline: '21 jobs failed' });
    await harnessFor(more).channel.send(outgoing, options);
    expect(more.openIncidents()).toEqual([outgoing.message.threadId]);
    expect(more.taken()[0]).toMatchObject({
      summary: '21 jobs failed',
      body: { payload: { custom_details: { alerts: 21, not_listed: 1 } } },
    });
  });

  test('resolves the one incident of a conversation when none of its alerts is open any more', async () => {
    const double = await started();
    const { channel } = harnessFor(double);
    const first = sampleOutgoing({ items: many(30) });
    const { threadId } = first.message;
    await channel.send(first, options);
    await channel.send(sampleOutgoing({ threadId, followUp: true, threadOpen: 12, items: many(18, fine) }), options);
    expect(double.openIncidents()).toEqual([threadId]);
    const rest = many(30, fine).slice(18);
    await channel.send(sampleOutgoing({ threadId, followUp: true, threadOpen: 0, items: rest }), options);
    expect(double.openIncidents()).toEqual([]);
  });

  test('opens an incident for each alert that is folded into one item', async () => {
    const double = await started();
    const item = sampleItem({ alertId: 'a', alerts: 3, alertIds: ['a', 'b', 'c'], title: '3 jobs failed' });
    await harnessFor(double).channel.send(sampleOutgoing({ items: [item] }), options);
    expect(double.openIncidents().toSorted()).toEqual(['a', 'b', 'c']);
  });

  test('opens no incident for a heartbeat, and none for what failed and recovered before it was told', async () => {
    const double = await started();
    const { channel } = harnessFor(double);
    const heartbeat = sampleOutgoing({ purpose: 'heartbeat', items: [sampleItem({ kind: 'open', failures: 0 })] });
    expect(await channel.send(heartbeat, options)).toEqual({
      outcome: 'accepted',
      providerMessageId: null,
      status: null,
    });
    expect(double.requests()).toHaveLength(0);
    await channel.send(sampleOutgoing({ items: [sampleItem({ kind: 'recovered', resolution })] }), options);
    expect(double.openIncidents()).toEqual([]);
  });

  test.each<[string, HttpBehaviour, object]>([
    ['a limit', { kind: 'rate-limited', retryAfter: '30' }, { reason: 'rate-limited', retryAfterMs: 30_000 }],
    ['a server error', { kind: 'status', status: 503 }, { reason: 'server-error' }],
    ['a broken connection', { kind: 'reset' }, { reason: 'connection-lost' }],
    ['a broken connection after it was taken', { kind: 'accept-then-reset' }, { reason: 'connection-lost' }],
  ])('tries again after %s in the middle, and opens no incident twice', async (_caption, behaviour, expected) => {
    const double = await started();
    const { channel } = harnessFor(double);
    double.next(...Array.from({ length: 7 }, () => ({ kind: 'accept' }) as const), behaviour);
    const outgoing = sampleOutgoing({ items: many(12) });
    expect(await channel.send(outgoing, options)).toMatchObject({ outcome: 'retry', ...expected });
    expect(double.openIncidents().length).toBeLessThan(12);
    expect(await channel.send(outgoing, options)).toMatchObject({ outcome: 'accepted' });
    expect(double.openIncidents()).toHaveLength(12);
  });

  test('opens the other incidents although one event is refused, and says that it was', async () => {
    const double = await started();
    double.next({ kind: 'status', status: 400 });
    const outcome = await harnessFor(double).channel.send(sampleOutgoing({ items: many(12) }), options);
    expect(outcome).toMatchObject({ outcome: 'rejected', reason: 'bad-request' });
    expect(double.openIncidents()).toHaveLength(11);
  });

  test('stops at a key that is refused', async () => {
    const double = await started();
    const { channel } = harnessFor(double, { routingKey: 'x'.repeat(32) });
    await channel.send(sampleOutgoing({ items: many(20) }), options);
    expect(double.requests().length).toBeLessThanOrEqual(5);
  });

  test('keeps all requests of an attempt within its time', async () => {
    const double = await started();
    double.always({ kind: 'accept-late', afterMs: 300 });
    const before = performance.now();
    const outcome = await harnessFor(double).channel.send(sampleOutgoing({ items: many(20) }), {
      ...options,
      timeoutMs: 800,
    });
    expect(outcome).toMatchObject({ outcome: 'retry', reason: expect.stringContaining('timeout') as string });
    expect(performance.now() - before).toBeLessThan(2_000);
  });

  test('is not made with a base URL that is none', () => {
    expect(() =>
      createChannel('pd', { type: 'pagerduty', routingKey: 'x', baseUrl: 'pagerduty' }, { log: recordingLog() }),
    ).toThrow(expect.objectContaining({ code: 'CHANNEL_MISCONFIGURED' }));
  });
});

describe('the events of a message for PagerDuty', () => {
  test.each(['x', '語', '😀', '"\\', '<&>'])('of nothing but %s stay below 512 KB and within every length', (piece) => {
    const long = piece.repeat(5_000);
    const items = Array.from({ length: 100 }, () =>
      sampleItem({
        title: long,
        source: long,
        jobType: long,
        targetId: long,
        causes: Array.from({ length: 20 }, () => ({ signature: long, error: long, count: 1, jobs: [], moreJobs: 0 })),
        details: {
          stage: long,
          progress: 1,
          counts: null,
          startedAt: null,
          heartbeatAt: null,
          fields: Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`${long}${n}`, long])),
        },
      }),
    );
    const [event] = pagerDutyEvents(sampleOutgoing({ items, headline: long }).message);
    expect(Buffer.byteLength(JSON.stringify(event))).toBeLessThan(eventBytesMax);
    expect(String(event?.payload?.['summary']).length).toBeLessThanOrEqual(1_024);
    expect(event?.payload?.['custom_details']).toBeDefined();
  });

  test('do not carry links that are none', () => {
    const item = sampleItem({ adminUrl: 'javascript:alert(1)', tocsinUrl: 'nothing' });
    const [event] = pagerDutyEvents(sampleOutgoing({ items: [item] }).message);
    expect(event).toMatchObject({ links: [] });
    expect(event).not.toHaveProperty('client_url');
  });
});
