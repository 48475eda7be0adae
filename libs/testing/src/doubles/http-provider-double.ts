import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createArrivals } from './arrivals.ts';

/** Largest request that is kept, in bytes; what is beyond is counted. */
const requestBytesMax = 30 * 1024 * 1024;
/** Pause between the bytes of a slow body unless told otherwise, in milliseconds. */
const byteEveryMs = 1_000;
const certificates = join(import.meta.dirname, '..', 'certificates');

/** How a double of an HTTP provider treats a request. */
export type HttpBehaviour =
  /** As the provider does: takes what the provider would take, else complains like it. */
  | { readonly kind: 'accept' }
  /** Any status, nothing taken. A string body is sent as it is, anything else as JSON. Default: the provider's own complaint. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: unknown;
    }
  /** A status with the whole request as body: its line, headers and body, secrets included. */
  | { readonly kind: 'echo'; readonly status: number }
  /** 429. `resetInSeconds` gives X-RateLimit-Reset, `retryAfter` that header as it is; neither gives neither. */
  | { readonly kind: 'rate-limited'; readonly resetInSeconds?: number; readonly retryAfter?: string }
  /** Takes it at once and answers later. */
  | { readonly kind: 'accept-late'; readonly afterMs: number }
  /** Takes it and never answers. */
  | { readonly kind: 'accept-then-hang' }
  /** Takes it and breaks the connection. */
  | { readonly kind: 'accept-then-reset' }
  /** Takes it, sends the headers of its answer, then breaks the connection. */
  | { readonly kind: 'accept-headers-then-reset' }
  /** Takes it and sends the body of its answer byte by byte. Default: one a second. */
  | { readonly kind: 'accept-slowly'; readonly everyMs?: number }
  /** Reads the request, takes nothing, never answers. */
  | { readonly kind: 'hang' }
  /** Reads the request, takes nothing, breaks the connection. */
  | { readonly kind: 'reset' }
  /** Sends the status line and headers, then breaks the connection. */
  | { readonly kind: 'headers-then-reset'; readonly status: number }
  /** A status with a body of that many bytes. */
  | { readonly kind: 'huge-body'; readonly status: number; readonly bytes: number }
  /** A status with a body that begins and never ends. */
  | { readonly kind: 'endless-body'; readonly status: number }
  /** A status with a body that comes byte by byte. Default: one a second. */
  | { readonly kind: 'slow-body'; readonly status: number; readonly everyMs?: number };

/** A whole request, as a provider's checks see it. */
export interface ProviderRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Length of the body, also of what was not kept. */
  readonly bytes: number;
}

/** An answer. A string body is sent as it is, anything else as JSON; without one the body is empty. */
export interface ProviderAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** What a double knows of its provider. */
export interface HttpProvider<Taken> {
  /** Plural name of what it takes, for messages: `mails at the SendGrid double`. */
  readonly what: string;
  /** Checks a request as the provider does, and takes it or not. Called once per request that is not refused by script. */
  readonly receive: (request: ProviderRequest) => { readonly answer: ProviderAnswer; readonly taken: Taken | null };
  /** Body of an answer told to refuse. */
  readonly complaint: (message: string) => unknown;
}

/** A request that came, taken or not. */
export interface SeenRequest {
  readonly receivedAt: string;
  readonly method: string;
  readonly path: string;
  /** The status answered; null when the double did not answer. */
  readonly status: number | null;
}

/** A provider as far as a sender can tell, on 127.0.0.1. */
export interface HttpProviderDouble<Taken> {
  /** `http://127.0.0.1:PORT/`, or `https:` with a certificate nobody trusts. */
  readonly baseUrl: string;
  /** Behaviour of the next requests, one each, in this order; then the standing one again. */
  next(...behaviours: readonly HttpBehaviour[]): void;
  /** The same for requests whose path begins with `path`; goes before `next`. */
  nextAt(path: string, ...behaviours: readonly HttpBehaviour[]): void;
  /** The standing behaviour. At first: `accept`. */
  always(behaviour: HttpBehaviour): void;
  /** All that was taken, oldest first. */
  taken(): readonly Taken[];
  /** Every request, oldest first. */
  requests(): readonly SeenRequest[];
  waitForTaken(count: number, timeoutMs: number): Promise<readonly Taken[]>;
  waitForRequests(count: number, timeoutMs: number): Promise<readonly SeenRequest[]>;
  stop(): Promise<void>;
}

export interface HttpProviderDoubleOptions {
  readonly port?: number;
  /** Speaks TLS, with a certificate that no machine trusts. Default: false. */
  readonly tls?: boolean;
}

/** Starts a double of a provider behind HTTP: the provider says what it takes, the script says what goes wrong. */
export const startHttpProviderDouble = async <Taken>(
  provider: HttpProvider<Taken>,
  options: HttpProviderDoubleOptions = {},
): Promise<HttpProviderDouble<Taken>> => {
  const takings = createArrivals<Taken>(provider.what);
  const requests = createArrivals<SeenRequest>('requests');
  const timers = new Set<NodeJS.Timeout>();
  const queued: { readonly path: string; readonly behaviour: HttpBehaviour }[] = [];
  let standing: HttpBehaviour = { kind: 'accept' };

  const behaviourFor = (path: string): HttpBehaviour => {
    const named = queued.findIndex((entry) => entry.path !== '' && path.startsWith(entry.path));
    const index = named >= 0 ? named : queued.findIndex((entry) => entry.path === '');
    return index < 0 ? standing : (queued.splice(index, 1)[0]?.behaviour ?? standing);
  };

  const handle = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const request = await readRequest(incoming);
    const behaviour = behaviourFor(request.path);
    const record = (status: number | null): void =>
      requests.add({ receivedAt: new Date().toISOString(), method: request.method, path: request.path, status });
    const answer = (given: ProviderAnswer): void => {
      record(given.status);
      const { headers, body } = rendered(given);
      response.writeHead(given.status, headers);
      response.end(body);
    };
    const answerSlowly = (given: ProviderAnswer, everyMs: number): void => {
      record(given.status);
      const { headers, body } = rendered(given);
      response.writeHead(given.status, headers);
      response.flushHeaders();
      let sent = 0;
      const timer = setInterval(() => {
        response.write(body.charAt(sent));
        sent += 1;
        if (sent < body.length && !response.destroyed) return;
        clearInterval(timer);
        timers.delete(timer);
        response.end();
      }, everyMs);
      timers.add(timer);
    };
    const breakOffAfterHeaders = (given: ProviderAnswer): void => {
      record(given.status);
      const { headers, body } = rendered(given);
      response.writeHead(given.status, { ...headers, 'Content-Length': String(body.length + 1_000) });
      response.write(' ', () => incoming.socket.resetAndDestroy());
    };
    /** Takes what the provider would take; otherwise answers with its complaints and gives null. */
    const take = (): ProviderAnswer | null => {
      const { answer: given, taken } = provider.receive(request);
      if (taken !== null) {
        takings.add(taken);
        return given;
      }
      answer(given);
      return null;
    };
    const told = 'Told to refuse.';

    switch (behaviour.kind) {
      case 'accept': {
        const given = take();
        if (given !== null) answer(given);
        return;
      }
      case 'accept-late': {
        const given = take();
        if (given === null) return;
        const timer = setTimeout(() => {
          timers.delete(timer);
          answer(given);
        }, behaviour.afterMs);
        timers.add(timer);
        return;
      }
      case 'accept-then-hang':
        if (take() !== null) record(null);
        return;
      case 'accept-then-reset':
        if (take() === null) return;
        record(null);
        incoming.socket.resetAndDestroy();
        return;
      case 'accept-headers-then-reset': {
        const given = take();
        if (given !== null) breakOffAfterHeaders(given);
        return;
      }
      case 'accept-slowly': {
        const given = take();
        if (given !== null) answerSlowly(given, behaviour.everyMs ?? byteEveryMs);
        return;
      }
      case 'status':
        answer({
          status: behaviour.status,
          headers: behaviour.headers ?? {},
          body: behaviour.body ?? provider.complaint(told),
        });
        return;
      case 'echo':
        answer({
          status: behaviour.status,
          headers: { 'Content-Type': 'text/plain' },
          body: `${request.method} ${request.path} ${JSON.stringify(request.headers)} ${request.text}`,
        });
        return;
      case 'rate-limited':
        answer({
          status: 429,
          headers: {
            ...(behaviour.resetInSeconds === undefined
              ? {}
              : {
                  'X-RateLimit-Limit': '600',
                  'X-RateLimit-Remaining': '0',
                  'X-RateLimit-Reset': String(Math.ceil(Date.now() / 1_000) + behaviour.resetInSeconds),
                }),
            ...(behaviour.retryAfter === undefined ? {} : { 'Retry-After': behaviour.retryAfter }),
          },
          body: provider.complaint('too many requests'),
        });
        return;
      case 'hang':
        record(null);
        return;
      case 'reset':
        record(null);
        incoming.socket.resetAndDestroy();
        return;
      case 'headers-then-reset':
        breakOffAfterHeaders({ status: behaviour.status, headers: { 'Content-Type': 'application/json' } });
        return;
      case 'huge-body':
        answer({
          status: behaviour.status,
          headers: { 'Content-Type': 'text/html' },
          body: 'x'.repeat(behaviour.bytes),
        });
        return;
      case 'endless-body':
        record(behaviour.status);
        response.writeHead(behaviour.status, { 'Content-Type': 'application/json' });
        response.write('{');
        return;
      case 'slow-body':
        answerSlowly({ status: behaviour.status, body: provider.complaint(told) }, behaviour.everyMs ?? byteEveryMs);
        return;
      default:
        behaviour satisfies never;
    }
  };

  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    // A client that goes away in the middle is part of what is tested.
    handle(request, response).catch(() => request.socket.destroy());
  };
  const server =
    options.tls === true
      ? createTlsServer(
          {
            cert: readFileSync(join(certificates, 'localhost.pem')),
            key: readFileSync(join(certificates, 'localhost.key')),
          },
          listener,
        )
      : createServer(listener);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  return {
    baseUrl: `${options.tls === true ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    next: (...behaviours) => void queued.push(...behaviours.map((behaviour) => ({ path: '', behaviour }))),
    nextAt: (path, ...behaviours) => void queued.push(...behaviours.map((behaviour) => ({ path, behaviour }))),
    always: (behaviour) => {
      standing = behaviour;
    },
    taken: takings.all,
    requests: requests.all,
    waitForTaken: takings.wait,
    waitForRequests: requests.wait,
    stop: async () => {
      for (const timer of timers) clearTimeout(timer);
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
};

const rendered = ({
  headers = {},
  body = '',
}: ProviderAnswer): { readonly headers: Readonly<Record<string, string>>; readonly body: string } =>
  typeof body === 'string'
    ? { headers, body }
    : { headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(body) };

const readRequest = async (incoming: IncomingMessage): Promise<ProviderRequest> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming) {
    const piece = chunk as Buffer;
    bytes += piece.length;
    if (bytes <= requestBytesMax) chunks.push(piece);
  }
  return {
    method: incoming.method ?? '',
    path: incoming.url ?? '',
    headers: incoming.headers,
    text: Buffer.concat(chunks).toString('utf8'),
    bytes,
  };
};
