/** What can go wrong with a provider behind HTTP, as one table that every such channel runs. */
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { DeliveryReason } from '@tocsin/alert-model';
import type { HttpBehaviour } from '@tocsin/testing';
import type { FailureCase, Harness } from './channel.contract.ts';

/** Long enough to connect and send on a busy machine: what counts is silence after that. */
const unansweredMs = 1_200;
/** Where clouds keep the credentials of their machines. */
const metadataAddress = 'http://169.254.169.254/latest/meta-data/';

/** One channel as the table needs it. */
export interface HttpFailureOptions {
  /** A channel whose other side behaves so, one request each, then takes everything. */
  readonly behaving: (...behaviours: readonly HttpBehaviour[]) => Promise<Harness>;
  /** A channel that goes to another address, made of the right one. */
  readonly at: (change: (url: URL) => string) => Promise<Harness>;
  /** A channel whose other side speaks TLS with a certificate that nobody trusts. */
  readonly untrusted: () => Promise<Harness>;
  /** What a status means here, where it is not what it means everywhere; all of these are `rejected`. */
  readonly reasons?: Readonly<Partial<Record<400 | 401 | 403 | 404 | 410 | 413 | 307 | 'html', DeliveryReason>>>;
}

/** The failures that every provider behind HTTP has, and what they are to be reported as. */
export const httpFailures = ({ behaving, at, untrusted, reasons = {} }: HttpFailureOptions): readonly FailureCase[] => {
  const status =
    (code: number, headers: Readonly<Record<string, string>> = {}, body?: unknown) =>
    (): Promise<Harness> =>
      behaving({ kind: 'status', status: code, headers, ...(body === undefined ? {} : { body }) });
  const rejected = (code: 400 | 401 | 403 | 404 | 410 | 413, usual: DeliveryReason, title: string): FailureCase => ({
    title: `${code} as ${title}`,
    start: status(code),
    outcome: 'rejected',
    reason: reasons[code] ?? usual,
    status: code,
    requests: 1,
  });
  const broken = (code: number): FailureCase => ({
    title: `${code} as a server error`,
    start: status(code),
    outcome: 'retry',
    reason: 'server-error',
    status: code,
    retryAfterMs: null,
    requests: 1,
  });
  const limited = (title: string, behaviour: () => HttpBehaviour, retryAfterMs: number | null): FailureCase => ({
    title: `429 ${title}`,
    start: () => behaving(behaviour()),
    outcome: 'retry',
    reason: 'rate-limited',
    status: 429,
    retryAfterMs,
    requests: 1,
  });
  const silent = (title: string, behaviour: HttpBehaviour, received: number): FailureCase => ({
    title: `${title} as unknown, since it may have been taken`,
    start: () => behaving(behaviour),
    outcome: 'unknown',
    reason: behaviour.kind.endsWith('reset') ? 'connection-lost' : 'timeout',
    status: null,
    timeoutMs: behaviour.kind.endsWith('reset') ? 5_000 : unansweredMs,
    received,
    // What is answered late is counted when it is answered.
    ...(behaviour.kind === 'accept-late' ? {} : { requests: 1 }),
  });
  return [
    rejected(400, 'bad-request', 'a bad request'),
    rejected(401, 'unauthorized', 'unauthorized'),
    rejected(403, 'unauthorized', 'unauthorized'),
    rejected(404, 'not-found', 'not found'),
    rejected(410, 'not-found', 'gone'),
    rejected(413, 'too-large', 'too large'),
    limited('with Retry-After in seconds', () => ({ kind: 'rate-limited', retryAfter: '120' }), 120_000),
    limited(
      'with Retry-After as date',
      () => ({ kind: 'rate-limited', retryAfter: new Date(Date.now() + 45_000).toUTCString() }),
      45_000,
    ),
    limited('with a reset time', () => ({ kind: 'rate-limited', resetInSeconds: 90 }), 90_000),
    limited('without a time', () => ({ kind: 'rate-limited' }), null),
    broken(500),
    broken(504),
    {
      title: '502 with a page of HTML and no more than its beginning',
      start: status(502, { 'Content-Type': 'text/html' }, `<html>${'<p>bad gateway</p>'.repeat(2_000)}`),
      outcome: 'retry',
      reason: 'server-error',
      status: 502,
    },
    {
      title: '503 with Retry-After',
      start: status(503, { 'Retry-After': '30' }),
      outcome: 'retry',
      reason: 'server-error',
      status: 503,
      retryAfterMs: 30_000,
    },
    {
      title: '500 with ten megabytes of body',
      start: () => behaving({ kind: 'huge-body', status: 500, bytes: 10_000_000 }),
      outcome: 'retry',
      reason: 'server-error',
      status: 500,
    },
    {
      title: '500 whose body comes byte by byte',
      start: () => behaving({ kind: 'slow-body', status: 500 }),
      outcome: 'retry',
      reason: 'server-error',
      status: 500,
      patienceMs: 3_000,
    },
    {
      title: '400 whose connection breaks after the headers by its status',
      start: () => behaving({ kind: 'headers-then-reset', status: 400 }),
      outcome: 'rejected',
      reason: reasons[400] ?? 'bad-request',
      status: 400,
    },
    {
      title: 'an answer that repeats the whole request without its secrets',
      start: () => behaving({ kind: 'echo', status: 400 }),
      outcome: 'rejected',
      reason: reasons[400] ?? 'bad-request',
      status: 400,
    },
    {
      title: 'a redirect to the credentials of the machine as a refusal, and does not follow it',
      start: status(307, { Location: metadataAddress }),
      outcome: 'rejected',
      reason: reasons[307] ?? 'misconfigured',
      status: 307,
      requests: 1,
    },
    {
      title: 'a redirect to the same server as a refusal, and does not follow it',
      start: status(307, { Location: '/elsewhere' }),
      outcome: 'rejected',
      reason: reasons[307] ?? 'misconfigured',
      status: 307,
      requests: 1,
    },
    {
      title: 'a good status with a web page as a wrong address',
      start: status(200, { 'Content-Type': 'text/html; charset=utf-8' }, '<!doctype html><h1>Log in</h1>'),
      outcome: 'rejected',
      reason: reasons.html ?? 'misconfigured',
      status: 200,
    },
    {
      title: 'a refused connection',
      start: async () => {
        const port = await closedPort();
        return at((url) => {
          url.port = String(port);
          return url.href;
        });
      },
      outcome: 'retry',
      reason: 'connection-refused',
      status: null,
      requests: 0,
    },
    {
      title: 'a name that does not exist',
      start: () =>
        at((url) => {
          url.hostname = 'tocsin-no-such-host.invalid';
          return url.href;
        }),
      outcome: 'retry',
      reason: 'dns',
      status: null,
      requests: 0,
    },
    {
      title: 'a server that speaks no TLS',
      start: () => at((url) => url.href.replace('http:', 'https:')),
      outcome: 'retry',
      reason: 'tls',
      status: null,
      requests: 0,
    },
    {
      title: 'a certificate that nobody trusts',
      start: untrusted,
      outcome: 'retry',
      reason: 'tls',
      status: null,
      requests: 0,
    },
    silent('a time-out', { kind: 'hang' }, 0),
    silent('an answer after our time-out', { kind: 'accept-late', afterMs: 60_000 }, 1),
    silent('a message taken without a word', { kind: 'accept-then-hang' }, 1),
    silent('a connection that broke after the request', { kind: 'reset' }, 0),
    silent('a connection that broke after the message was taken', { kind: 'accept-then-reset' }, 1),
  ];
};

/** A port of 127.0.0.1 where nobody listens. */
export const closedPort = async (): Promise<number> => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
};
