import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { startSmtpDouble } from '@tocsin/testing';
import type { SmtpBehaviour, SmtpDouble, SmtpDoubleOptions } from '@tocsin/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { channelContract } from '../channel.contract.ts';
import type { FailureCase, Harness } from '../channel.contract.ts';
import { createChannel } from '../create-channel.ts';
import { recordingLog, sampleItem, sampleOutgoing } from '../sample-outgoing.contract.ts';

const to = ['ada@example.com', 'Grace <grace@example.org>'];
const login = { user: 'tocsin@example.com', password: 'p@ss/word:with%signs' };
const signal = new AbortController().signal;
/** Long enough to connect and send on a busy machine: what counts is silence after that. */
const unansweredMs = 1_500;

const harnessFor = (double: SmtpDouble, url = double.url): Harness => {
  const log = recordingLog();
  return {
    channel: createChannel('primary', { type: 'smtp', url, to, from: 'Tocsin <alerts@tocsin.example>' }, { log }),
    secrets: [login.password, encodeURIComponent(login.password), Buffer.from(login.password).toString('base64')],
    log,
    received: async () =>
      double.messages().map((mail) => ({
        ...mail,
        references: mail.references.length === 0 ? null : mail.references.join(' '),
        headerText: mail.headerLines.map(({ line }) => line).join('\n'),
      })),
    stop: double.stop,
  };
};

const behaving =
  (behaviour: SmtpBehaviour = { kind: 'accept' }, options: SmtpDoubleOptions = {}) =>
  async (): Promise<Harness> => {
    const double = await startSmtpDouble(options);
    double.always(behaviour);
    return harnessFor(double);
  };

const at =
  (url: (double: SmtpDouble) => string, options: SmtpDoubleOptions = {}) =>
  async (): Promise<Harness> => {
    const double = await startSmtpDouble(options);
    return harnessFor(double, url(double));
  };

/** A server that greets, then closes. */
const closing = async (): Promise<Harness> => {
  const double = await startSmtpDouble();
  const server = createServer((socket) => socket.end('220 hello\r\n'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const harness = harnessFor(double, `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return {
    ...harness,
    stop: async () => {
      server.close();
      await double.stop();
    },
  };
};

const refusedPort = async (): Promise<Harness> => {
  const double = await startSmtpDouble();
  const other = await startSmtpDouble();
  await other.stop();
  return harnessFor(double, other.url);
};

const auth = (code: number, text: string): (() => Promise<Harness>) =>
  behaving({ kind: 'refuse-auth', code, text }, { login });
const recipients = (code: number, text: string): (() => Promise<Harness>) =>
  behaving({ kind: 'refuse-recipients', code, text });
const data = (code: number, text: string): (() => Promise<Harness>) => behaving({ kind: 'refuse-data', code, text });

const failures: readonly FailureCase[] = [
  {
    title: '535 as unauthorized',
    start: auth(535, '5.7.8 Authentication failed'),
    outcome: 'rejected',
    reason: 'unauthorized',
    status: 535,
  },
  {
    title: 'a password repeated by the server without the password',
    start: auth(535, `5.7.8 ${login.password} is wrong`),
    outcome: 'rejected',
    reason: 'unauthorized',
  },
  {
    title: '454 at login as a server error',
    start: auth(454, '4.7.0 Temporary authentication failure'),
    outcome: 'retry',
    reason: 'server-error',
    status: 454,
  },
  {
    title: '550 5.1.1 for every recipient as a bad address',
    start: recipients(550, '5.1.1 No such user'),
    outcome: 'rejected',
    reason: 'bad-address',
    status: 550,
  },
  {
    title: '554 5.7.1 for relaying as unauthorized',
    start: recipients(554, '5.7.1 Relay access denied'),
    outcome: 'rejected',
    reason: 'unauthorized',
    status: 554,
  },
  {
    title: '450 at RCPT as a server error',
    start: recipients(450, '4.2.0 Greylisted, come back'),
    outcome: 'retry',
    reason: 'server-error',
    status: 450,
  },
  {
    title: '421 4.7.28 as rate limited',
    start: data(421, '4.7.28 Too many messages'),
    outcome: 'retry',
    reason: 'rate-limited',
    status: 421,
  },
  {
    title: '451 at the end of the message as a server error',
    start: data(451, '4.3.0 Try later'),
    outcome: 'retry',
    reason: 'server-error',
    status: 451,
  },
  {
    title: '552 as too large',
    start: data(552, '5.3.4 Message too big'),
    outcome: 'rejected',
    reason: 'too-large',
    status: 552,
  },
  {
    title: '554 at the end of the message as a bad request',
    start: data(554, '5.6.0 Not acceptable'),
    outcome: 'rejected',
    reason: 'bad-request',
    status: 554,
  },
  { title: 'a refused connection', start: refusedPort, outcome: 'retry', reason: 'connection-refused', status: null },
  {
    title: 'a name that does not exist',
    start: at(() => 'smtp://tocsin-no-such-host.invalid:2525'),
    outcome: 'retry',
    reason: 'dns',
    status: null,
  },
  {
    title: 'a server that speaks no TLS where smtps was asked for',
    start: at((double) => double.url.replace('smtp:', 'smtps:')),
    outcome: 'retry',
    reason: 'tls',
  },
  {
    title: 'a server without STARTTLS where it is required',
    start: at((double) => `${double.url}?requireTLS=true`),
    outcome: 'retry',
    reason: 'tls',
  },
  {
    title: 'a certificate nobody trusts where TLS is required',
    start: at((double) => `${double.url}?requireTLS=true`, { startTls: true }),
    outcome: 'retry',
    reason: 'tls',
  },
  {
    title: 'a server that never greets',
    start: behaving({ kind: 'hang-at-greeting' }),
    outcome: 'retry',
    reason: 'timeout-before-send',
    timeoutMs: 200,
  },
  { title: 'a connection closed after the greeting', start: closing, outcome: 'retry', reason: 'connection-lost' },
  {
    title: 'no reply to the message as unknown',
    start: behaving({ kind: 'hang-after-data' }),
    outcome: 'unknown',
    reason: 'timeout',
    timeoutMs: unansweredMs,
  },
  {
    title: 'a reply after our time-out as unknown',
    start: behaving({ kind: 'accept-late', afterMs: 60_000 }),
    outcome: 'unknown',
    reason: 'timeout',
    timeoutMs: unansweredMs,
    received: 1,
  },
  {
    title: 'a connection that broke after the message as unknown',
    start: behaving({ kind: 'close-after-data' }),
    outcome: 'unknown',
    reason: 'connection-lost',
  },
  {
    title: 'a connection that broke after the message was taken as unknown',
    start: behaving({ kind: 'accept-then-close' }),
    outcome: 'unknown',
    reason: 'connection-lost',
    received: 1,
  },
];

channelContract('SMTP', { start: behaving(), domain: 'tocsin.example', failures });

describe('the SMTP channel', () => {
  const doubles: SmtpDouble[] = [];
  const started = async (options: SmtpDoubleOptions = {}): Promise<SmtpDouble> => {
    const double = await startSmtpDouble(options);
    doubles.push(double);
    return double;
  };
  afterEach(async () => {
    for (const double of doubles.splice(0)) await double.stop();
  });

  test('sends one mail to all recipients, with text and HTML, and reports the queue id', async () => {
    const double = await started();
    const { channel } = harnessFor(double);
    const outcome = await channel.send(sampleOutgoing(), { signal, timeoutMs: 5_000 });
    expect(outcome).toMatchObject({ outcome: 'accepted', status: 250 });
    expect(outcome.outcome === 'accepted' && outcome.providerMessageId).toMatch(/^\w+$/);
    expect(double.messages()).toHaveLength(1);
    expect(double.messages()[0]).toMatchObject({
      envelope: { from: 'alerts@tocsin.example', to: ['ada@example.com', 'grace@example.org'] },
      from: 'alerts@tocsin.example',
      to: ['ada@example.com', 'grace@example.org'],
      secure: false,
    });
    const raw = double.messages()[0]?.raw ?? '';
    expect(raw).toMatch(/^Auto-Submitted: auto-generated\r$/m);
    expect(raw.indexOf('Content-Type: text/plain')).toBeLessThan(raw.indexOf('Content-Type: text/html'));
  });

  test('logs in, and uses TLS when it is offered, even with a certificate nobody trusts on this machine', async () => {
    const double = await started({ login, startTls: true });
    const { channel } = harnessFor(double);
    expect(await channel.send(sampleOutgoing(), { signal, timeoutMs: 5_000 })).toMatchObject({ outcome: 'accepted' });
    expect(double.messages()[0]).toMatchObject({ user: login.user, secure: true });
  });

  test('accepts a message that some recipients got, and logs the others at level error', async () => {
    const double = await started();
    double.next({ kind: 'refuse-recipients', code: 550, text: '5.1.1 No such user', only: ['grace@example.org'] });
    const harness = harnessFor(double);
    expect(await harness.channel.send(sampleOutgoing(), { signal, timeoutMs: 5_000 })).toMatchObject({
      outcome: 'accepted',
    });
    expect(double.messages()[0]?.envelope.to).toEqual(['ada@example.com']);
    expect(harness.log.lines).toHaveLength(1);
    expect(harness.log.lines[0]).toMatchObject({ level: 'error', fields: { recipient: 'grace@example.org' } });
  });

  test('is ended by the stopping process, and says that it may have been taken', async () => {
    const double = await started();
    double.next({ kind: 'accept-late', afterMs: 60_000 });
    const { channel } = harnessFor(double);
    const stopping = new AbortController();
    const sending = channel.send(sampleOutgoing(), { signal: stopping.signal, timeoutMs: 60_000 });
    await double.waitForMessages(1, 5_000);
    stopping.abort();
    expect(await sending).toMatchObject({ outcome: 'unknown', reason: 'connection-lost' });
  });

  test('keeps lines of single dots and long lines as they are', async () => {
    const double = await started();
    const { channel } = harnessFor(double);
    const error = `before\n.\n..\nafter ${'x'.repeat(300)}`;
    const items = [sampleItem({ causes: [{ signature: 'x', error, count: 1, jobs: [], moreJobs: 0 }] })];
    await channel.send(sampleOutgoing({ items }), { signal, timeoutMs: 5_000 });
    expect(double.messages()[0]?.text).toMatch(/before\n +\.\n +\.\.\n +after/);
  });

  test('refuses to be made from something that is no SMTP URL, without repeating it', () => {
    const make = (): unknown =>
      createChannel(
        'mail',
        { type: 'smtp', url: 'http://user:topsecret@host', to, from: 'a@example.com' },
        { log: recordingLog() },
      );
    expect(make).toThrow(/SMTP server/);
    expect(make).not.toThrow(/topsecret/);
  });
});
