import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSendGridDouble } from '@tocsin/testing';
import type { SendGridBehaviour, SendGridDouble } from '@tocsin/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { channelContract } from '../channel.contract.ts';
import type { FailureCase, Harness } from '../channel.contract.ts';
import { httpFailures } from '../http-failures.contract.ts';
import { createChannel } from '../create-channel.ts';
import { recordingLog, sampleOutgoing } from '../sample-outgoing.contract.ts';

const to = ['ada@example.com', 'Grace <grace@example.org>', 'ADA@example.com'];
const signal = new AbortController().signal;

const harnessFor = async (
  double: SendGridDouble,
  change: { readonly baseUrl?: string; readonly apiKey?: string } = {},
): Promise<Harness> => {
  const log = recordingLog();
  const apiKey = change.apiKey ?? double.apiKey;
  return {
    channel: createChannel(
      'primary',
      {
        type: 'sendgrid',
        to,
        from: 'Tocsin <alerts@tocsin.example>',
        apiKey,
        baseUrl: change.baseUrl ?? double.baseUrl,
      },
      { log },
    ),
    secrets: [apiKey, apiKey.slice(3)],
    log,
    received: async () =>
      double.messages().map((mail) => ({
        subject: mail.subject,
        text: mail.text,
        html: mail.html,
        to: mail.to,
        messageId: mail.headers['Message-ID'] ?? '',
        inReplyTo: mail.headers['In-Reply-To'] ?? null,
        references: mail.headers['References'] ?? null,
        headerText: Object.entries(mail.headers)
          .map(([name, value]) => `${name}: ${value}`)
          .join('\n'),
      })),
    requests: () => double.requests().length,
    stop: double.stop,
  };
};

const behaving = async (...behaviours: readonly SendGridBehaviour[]): Promise<Harness> => {
  const double = await startSendGridDouble();
  double.next(...behaviours);
  return harnessFor(double);
};

const at = async (change: (url: URL) => string): Promise<Harness> => {
  const double = await startSendGridDouble();
  return harnessFor(double, { baseUrl: change(new URL(double.baseUrl)) });
};

const status = (code: number, body?: unknown): (() => Promise<Harness>) => {
  const behaviour: SendGridBehaviour = { kind: 'status', status: code, ...(body === undefined ? {} : { body }) };
  return () => behaving(behaviour);
};
const complaint = (message: string, field: string | null): unknown => ({ errors: [{ message, field, help: null }] });

const failures: readonly FailureCase[] = [
  ...httpFailures({
    behaving,
    at,
    untrusted: async () => harnessFor(await startSendGridDouble({ tls: true })),
  }),
  {
    title: '400 about an address as a bad address',
    start: status(400, complaint('Does not contain a valid address.', 'personalizations.0.to.1.email')),
    outcome: 'rejected',
    reason: 'bad-address',
    status: 400,
  },
  {
    title: '403 about an unverified sender as unauthorized',
    start: status(403, complaint('The from address does not match a verified Sender Identity.', 'from')),
    outcome: 'rejected',
    reason: 'unauthorized',
    status: 403,
  },
  { title: '415 as a bad request', start: status(415), outcome: 'rejected', reason: 'bad-request', status: 415 },
  {
    title: '500 whose body never ends',
    start: () => behaving({ kind: 'endless-body', status: 500 }),
    outcome: 'retry',
    reason: 'server-error',
    status: 500,
  },
  {
    title: 'an address that is none',
    start: () => at(() => 'not a url'),
    outcome: 'rejected',
    reason: 'misconfigured',
    status: null,
  },
];

channelContract('SendGrid', { start: behaving, domain: 'tocsin.example', failures });

describe('the SendGrid channel', () => {
  const doubles: SendGridDouble[] = [];
  const started = async (options: Parameters<typeof startSendGridDouble>[0] = {}): Promise<SendGridDouble> => {
    const double = await startSendGridDouble(options);
    doubles.push(double);
    return double;
  };
  afterEach(async () => {
    for (const double of doubles.splice(0)) await double.stop();
  });

  test('sends one request to all recipients, each once, with identities and without tracking', async () => {
    const double = await started();
    const { channel } = await harnessFor(double);
    const outgoing = sampleOutgoing();
    const outcome = await channel.send(outgoing, { signal, timeoutMs: 5_000 });
    const [mail] = double.messages();
    expect(outcome).toEqual({ outcome: 'accepted', providerMessageId: mail?.providerMessageId, status: 202 });
    expect(channel.recipients).toEqual(['ada@example.com', 'grace@example.org']);
    expect(mail).toMatchObject({
      to: ['ada@example.com', 'grace@example.org'],
      from: 'alerts@tocsin.example',
      categories: ['tocsin', 'tocsin-window'],
      customArgs: {
        delivery_id: outgoing.deliveryId,
        attempt_id: outgoing.attemptId,
        digest_id: outgoing.message.digestId,
      },
    });
    expect(mail?.headers).toMatchObject({ 'Auto-Submitted': 'auto-generated' });
    expect(mail?.body['tracking_settings']).toEqual({
      click_tracking: { enable: false, enable_text: false },
      open_tracking: { enable: false },
      subscription_tracking: { enable: false },
    });
    expect(double.requests()).toHaveLength(1);
  });

  test('is refused with a wrong key by a provider that checks it', async () => {
    const double = await started({ apiKey: 'SG.right.key' });
    const { channel } = await harnessFor(double, { apiKey: 'SG.wrong.key' });
    expect(await channel.send(sampleOutgoing(), { signal, timeoutMs: 5_000 })).toMatchObject({
      outcome: 'rejected',
      reason: 'unauthorized',
    });
  });

  test('takes the status for an answer even when the connection breaks right after it', async () => {
    const double = await started();
    double.next({ kind: 'headers-then-reset', status: 202 });
    const { channel } = await harnessFor(double);
    expect(await channel.send(sampleOutgoing(), { signal, timeoutMs: 5_000 })).toMatchObject({
      outcome: 'accepted',
      status: 202,
    });
  });

  test('is ended by the stopping process, and says that it may have been taken', async () => {
    const double = await started();
    double.next({ kind: 'accept-then-hang' });
    const { channel } = await harnessFor(double);
    const stopping = new AbortController();
    const sending = channel.send(sampleOutgoing(), { signal: stopping.signal, timeoutMs: 60_000 });
    await double.waitForRequests(1, 5_000);
    stopping.abort();
    expect(await sending).toMatchObject({ outcome: 'unknown', reason: 'connection-lost' });
  });

  test('does not follow a redirect to another server', async () => {
    const [double, other] = [await started(), await started()];
    double.next({ kind: 'status', status: 307, headers: { Location: `${other.baseUrl}v3/mail/send` } });
    const { channel } = await harnessFor(double);
    await channel.send(sampleOutgoing(), { signal, timeoutMs: 5_000 });
    expect(other.requests()).toHaveLength(0);
  });

  test('does not hand the message to a proxy named in the environment', async () => {
    const [double, proxy] = [await started(), await started()];
    const { channel } = await harnessFor(double);
    process.env['http_proxy'] = proxy.baseUrl;
    try {
      expect(await channel.send(sampleOutgoing(), { signal, timeoutMs: 5_000 })).toMatchObject({ outcome: 'accepted' });
    } finally {
      delete process.env['http_proxy'];
    }
    expect(proxy.requests()).toHaveLength(0);
  });

  // The library's error class makes a regular expression of the working directory's name.
  test('reads a refusal in a directory whose name is no regular expression', async () => {
    const double = await started();
    double.next({ kind: 'status', status: 401 });
    const { channel } = await harnessFor(double);
    const home = process.cwd();
    const directory = mkdtempSync(join(tmpdir(), 'c++('));
    process.chdir(directory);
    try {
      expect(await channel.send(sampleOutgoing(), { signal, timeoutMs: 5_000 })).toMatchObject({
        outcome: 'rejected',
        reason: 'unauthorized',
      });
    } finally {
      process.chdir(home);
      rmSync(directory, { recursive: true });
    }
  });
});
