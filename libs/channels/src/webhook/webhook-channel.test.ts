import { Buffer } from 'node:buffer';
import { startWebhookDouble } from '@tocsin/testing';
import type { HttpBehaviour, WebhookDouble, WebhookTaken } from '@tocsin/testing';
import { HTTP } from 'cloudevents';
import type { CloudEvent } from 'cloudevents';
import { Webhook } from 'standardwebhooks';
import { afterEach, describe, expect, test } from 'vitest';
import { channelContract } from '../channel.contract.ts';
import type { Harness } from '../channel.contract.ts';
import { createChannel } from '../create-channel.ts';
import { httpFailures } from '../http-failures.contract.ts';
import { recordingLog, sampleItem, sampleOutgoing } from '../sample-outgoing.contract.ts';
import type { Resolve } from './address-guard.ts';
import { bodyBytesWanted } from './webhook-body.ts';
import { createWebhookChannel } from './webhook-channel.ts';

const harnessFor = (double: WebhookDouble, url: string = double.url): Harness => {
  const log = recordingLog();
  return {
    channel: createChannel('primary', { type: 'webhook', url, secret: double.secret, allowPrivate: true }, { log }),
    secrets: [double.secret, double.secret.slice(6), 'key=hidden'],
    log,
    received: async () => null,
    bodies: () => double.taken().map(({ id, event }) => ({ identity: id, body: event })),
    requests: () => double.requests().length,
    stop: double.stop,
  };
};

const behaving = async (...behaviours: readonly HttpBehaviour[]): Promise<Harness> => {
  const double = await startWebhookDouble();
  double.next(...behaviours);
  return harnessFor(double);
};

const firstOf = (double: WebhookDouble): WebhookTaken => {
  const [taken] = double.taken();
  if (taken === undefined) throw new Error('No webhook came.');
  return taken;
};

channelContract('A webhook', {
  start: behaving,
  domain: null,
  // Any good status is acceptance: frameworks answer "ok" as text/html without being asked to.
  failures: httpFailures({
    behaving,
    at: async (change) => {
      const double = await startWebhookDouble();
      return harnessFor(double, change(new URL(double.url)));
    },
    untrusted: async () => harnessFor(await startWebhookDouble({ tls: true })),
  }).filter(({ title }) => !title.startsWith('a good status with a web page')),
});

describe('the webhook channel', () => {
  const doubles: WebhookDouble[] = [];
  const started = async (): Promise<WebhookDouble> => {
    const double = await startWebhookDouble();
    doubles.push(double);
    return double;
  };
  afterEach(async () => {
    for (const double of doubles.splice(0)) await double.stop();
  });
  const options = { signal: new AbortController().signal, timeoutMs: 5_000 };
  const channelTo = (url: string, secret: string, resolve?: Resolve, allowPrivate = false) =>
    createWebhookChannel('hook', { type: 'webhook', url, secret, allowPrivate }, { publicUrl: null }, resolve);

  test('sends a CloudEvent 1.0 that the CloudEvents library accepts, signed as Standard Webhooks checks it', async () => {
    const double = await started();
    const outgoing = sampleOutgoing();
    const channel = createChannel(
      'hook',
      { type: 'webhook', url: double.url, secret: double.secret, allowPrivate: true },
      { log: recordingLog(), publicUrl: 'https://tocsin.example.com/' },
    );
    expect(await channel.send(outgoing, options)).toEqual({
      outcome: 'accepted',
      providerMessageId: null,
      status: 204,
    });
    const { headers, text } = firstOf(double);
    expect(new Webhook(double.secret).verify(text, headers)).toMatchObject({ specversion: '1.0' });
    expect(() => new Webhook(double.secret).verify(text.replace('songs', 'albums'), headers)).toThrow(/No matching/);
    const event = HTTP.toEvent({ headers, body: text }) as CloudEvent<unknown>;
    expect(event.validate()).toBe(true);
    expect(event).toMatchObject({
      id: outgoing.deliveryId,
      source: 'https://tocsin.example.com/',
      type: 'tocsin.digest.v1',
      subject: outgoing.message.threadId,
      datacontenttype: 'application/json',
      data: outgoing.message,
    });
    expect(new Date(event.time ?? '').getTime()).toBe(Date.parse(outgoing.message.composedAt));
    expect(headers['webhook-id']).toBe(outgoing.deliveryId);
    expect(channel.recipients).toEqual([double.baseUrl]);
  });

  test('keeps the identity of a delivery over its attempts', async () => {
    const double = await started();
    double.next({ kind: 'accept-then-reset' });
    const { channel } = harnessFor(double);
    const outgoing = sampleOutgoing();
    expect((await channel.send(outgoing, options)).outcome).toBe('unknown');
    expect((await channel.send({ ...outgoing, attemptId: 'another' }, options)).outcome).toBe('accepted');
    expect(double.taken().map(({ id }) => id)).toEqual([outgoing.deliveryId, outgoing.deliveryId]);
  });

  test('signs with every key of a rotation, so that a receiver needs only one of them', async () => {
    const double = await started();
    const newest = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    const outcome = await channelTo(double.url, ` ${newest}\t${double.secret} `, undefined, true).send(
      sampleOutgoing(),
      options,
    );
    expect(outcome.outcome).toBe('accepted');
    const { headers, text } = firstOf(double);
    for (const secret of [newest, double.secret]) new Webhook(secret).verify(text, headers);
    const stranger = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;
    expect(() => new Webhook(stranger).verify(text, headers)).toThrow(/No matching/);
    expect(headers['webhook-signature']?.split(' ')).toHaveLength(2);
  });

  test('takes a good status with a web page for acceptance', async () => {
    const double = await started();
    double.next({ kind: 'status', status: 200, headers: { 'Content-Type': 'text/html' }, body: 'ok' });
    expect(await harnessFor(double).channel.send(sampleOutgoing(), options)).toMatchObject({ outcome: 'accepted' });
  });

  test.each([
    ['http://127.0.0.1:9/', 'loopback'],
    ['http://0x7f.1:9/', 'loopback'],
    ['http://0177.0.0.01:9/', 'loopback'],
    ['http://2130706433:9/', 'loopback'],
    ['http://127.1.:9/', 'loopback'],
    ['http://0/', 'unspecified'],
    ['http://[::1]:9/', 'loopback'],
    ['http://[::]/', 'unspecified'],
    ['http://[::ffff:127.0.0.1]:9/', 'loopback'],
    ['http://[::ffff:a00:1]/', 'private'],
    ['http://[::127.0.0.1]/', 'unassigned'],
    ['http://[64:ff9b::a9fe:a9fe]/', 'rfc6052'],
    ['http://[2002:7f00:1::]/', '6to4'],
    ['http://[fe80::1]/', 'linkLocal'],
    ['http://[fd00::1]/', 'uniqueLocal'],
    ['http://[ff02::1]/', 'multicast'],
    ['http://[2001:db8::1]/', 'reserved'],
    ['http://169.254.169.254/latest/meta-data/', 'linkLocal'],
    ['http://10.1.2.3/', 'private'],
    ['http://172.16.0.1/', 'private'],
    ['http://192.168.1.1/', 'private'],
    ['http://100.64.0.1/', 'carrierGradeNat'],
    ['http://224.0.0.1/', 'multicast'],
    ['http://255.255.255.255/', 'broadcast'],
    ['http://198.18.0.1/', 'reserved'],
  ])('refuses %s without a connection', async (url, range) => {
    const double = await started();
    const outcome = await channelTo(url, double.secret, async () => {
      throw new Error('A literal address needs no resolver.');
    }).send(sampleOutgoing(), options);
    expect(outcome).toMatchObject({ outcome: 'rejected', reason: 'forbidden-address', status: null });
    expect(outcome.outcome === 'rejected' ? outcome.detail : '').toContain(`(${range})`);
  });

  test('refuses a name that leads into the own network, here and by way of the system', async () => {
    const double = await started();
    const { port } = new URL(double.url);
    const url = `http://localhost:${port}/hooks`;
    expect(await channelTo(url, double.secret).send(sampleOutgoing(), options)).toMatchObject({
      outcome: 'rejected',
      reason: 'forbidden-address',
    });
    expect(double.requests()).toHaveLength(0);
    // The same name where it is allowed: the refusal was the guard's and not the network's.
    const allowed = channelTo(url, double.secret, undefined, true);
    expect(await allowed.send(sampleOutgoing(), options)).toMatchObject({ outcome: 'accepted' });
  });

  test('refuses a name of which one address among several is private', async () => {
    const double = await started();
    const resolve: Resolve = async () => [
      { address: '2000::1', family: 6 },
      { address: '10.0.0.7', family: 4 },
    ];
    const outcome = await channelTo('http://hook.example/', double.secret, resolve).send(sampleOutgoing(), options);
    expect(outcome).toMatchObject({ outcome: 'rejected', reason: 'forbidden-address' });
    expect(outcome.outcome === 'rejected' ? outcome.detail : '').toContain('hook.example leads to 10.0.0.7');
  });

  test('goes to the checked address even when the name answers 127.0.0.1 the next time', async () => {
    const double = await started();
    const { port } = new URL(double.url);
    const asked: string[] = [];
    // 2000::/16 belongs to nobody, so nothing is disturbed and nothing answers.
    const resolve: Resolve = async (hostname) => {
      asked.push(hostname);
      return asked.length === 1 ? [{ address: '2000::1', family: 6 }] : [{ address: '127.0.0.1', family: 4 }];
    };
    const channel = channelTo(`http://localhost:${port}/hooks`, double.secret, resolve);
    const first = await channel.send(sampleOutgoing(), { ...options, timeoutMs: 1_000 });
    expect(first).toMatchObject({ outcome: 'retry' });
    expect(asked).toEqual(['localhost']);
    // The second attempt asks anew, gets the rebound answer, and refuses it.
    expect(await channel.send(sampleOutgoing(), options)).toMatchObject({ reason: 'forbidden-address' });
    expect(asked).toHaveLength(2);
    expect(double.requests()).toHaveLength(0);
  });

  test('says that a name does not resolve, and does not wait for a resolver longer than the attempt may take', async () => {
    const double = await started();
    const gone = Object.assign(new Error('getaddrinfo ENOTFOUND hook.example'), { code: 'ENOTFOUND' });
    const url = 'http://hook.example/';
    expect(
      await channelTo(url, double.secret, () => Promise.reject(gone)).send(sampleOutgoing(), options),
    ).toMatchObject({ outcome: 'retry', reason: 'dns' });
    const never: Resolve = () => new Promise(() => {});
    expect(
      await channelTo(url, double.secret, never).send(sampleOutgoing(), { ...options, timeoutMs: 50 }),
    ).toMatchObject({ outcome: 'retry', reason: 'timeout-before-send' });
  });

  test('stays below 20 kB by telling less of each alert, and tells of every one', async () => {
    const double = await started();
    const items = Array.from({ length: 30 }, (_, index) =>
      sampleItem({
        alertId: `alert-${index}`,
        title: `job ${index} failed`,
        causes: [{ signature: 's1:x', error: 'e'.repeat(400), count: 1, jobs: [], moreJobs: 0 }],
      }),
    );
    await harnessFor(double).channel.send(sampleOutgoing({ items }), options);
    const { text, event } = firstOf(double);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(bodyBytesWanted);
    expect(event['data']).toMatchObject({ omittedAlerts: 0, items: items.map(({ alertId }) => ({ alertId })) });
  });

  test.each([
    ['an address that is none', 'not a url', 'valid'],
    ['another scheme', 'file:///etc/passwd', 'valid'],
    ['a key that is none', 'https://hook.example/', 'hunter2'],
    ['a key that is too short', 'https://hook.example/', 'whsec_c2hvcnQ='],
    ['no key at all', 'https://hook.example/', ' '],
  ])('is not made with %s, and does not repeat it', async (_caption, url, secret) => {
    const { secret: valid } = await started();
    const config = { type: 'webhook', url, secret: secret === 'valid' ? valid : secret } as const;
    const make = (): unknown => createChannel('hook', config, { log: recordingLog() });
    expect(make).toThrow(expect.objectContaining({ code: 'CHANNEL_MISCONFIGURED' }));
    expect(make).not.toThrow(/hunter2|passwd|c2hvcnQ/);
  });
});
