import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TocsinError } from '../errors.ts';
import type { Stoppable } from '../lifecycle.ts';
import type { Logger } from '../log.ts';
import { isTransientDatabaseError } from '../postgres-errors.ts';
import type { Metrics } from './metrics.ts';

/** Largest body of a request, in bytes: SendGrid sends up to some hundred events of a kilobyte at once. */
export const requestBytesMax = 1_000_000;
/** A request must have arrived within this time, in milliseconds. */
const requestTimeoutMs = 15_000;
/** Further ones are closed at once: nobody needs so many, and each costs memory. */
const connectionsMax = 256;
/** Longest wait for a report of health or readiness, in milliseconds. */
const reportTimeoutMs = 5_000;

/** One thing that a report says. */
export interface HealthCheck {
  readonly name: string;
  readonly ok: boolean;
  /** In plain words, without secrets: anybody who reaches the port can read it. */
  readonly detail: string;
}

/** A request to one of a worker's own paths. */
export interface HookRequest {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** As it arrived: signatures are over these bytes. */
  readonly body: Uint8Array;
}

/** A path that takes POSTs. */
export interface Hook {
  /** Begins with `/`. */
  readonly path: string;
  readonly handle: (request: HookRequest) => Promise<{ readonly status: number; readonly text: string }>;
}

/** Where a worker listens and what it says there. */
export interface WorkerServerOptions {
  readonly host: string;
  readonly port: { readonly port: number; readonly isDefault: boolean };
  /** Names the setting in an error, `TOCSIN_NOTIFIER_PORT`. */
  readonly setting: string;
  readonly log: Logger;
  /** Whether this process does its work; without looking at the database. */
  readonly health: () => readonly HealthCheck[];
  /** Whether it can do its work now: database, schema, audit. */
  readonly ready: () => Promise<readonly HealthCheck[]>;
  readonly metrics: Metrics;
  readonly hooks?: readonly Hook[];
}

/** A server that runs. */
export interface WorkerServer extends Stoppable {
  /** null when the default port was taken, and nothing listens. */
  readonly address: { readonly host: string; readonly port: number } | null;
}

/**
 * Listens for `/healthz`, `/readyz`, `/metrics` and hooks. A port that nobody chose and that is taken is a warning, since
 * a second worker on the same machine is no mistake.
 *
 * @throws TocsinError `PORT_TAKEN` or `PORT_FORBIDDEN` when a chosen port cannot be listened on
 */
export const startWorkerServer = async (options: WorkerServerOptions): Promise<WorkerServer> => {
  const { host, port, setting, log } = options;
  const server = await createServer(options);
  server.requestTimeout = requestTimeoutMs;
  server.headersTimeout = requestTimeoutMs;
  server.maxConnections = connectionsMax;
  try {
    server.listen(port.port, host);
    await once(server, 'listening');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EADDRINUSE' && port.isDefault) {
      log.warn(
        { host, port: port.port },
        `the port for health and metrics is taken, so there is none; set ${setting} to another port, or to off`,
      );
      return { address: null, stop: async () => {} };
    }
    throw listenError(code, host, port.port, setting, error);
  }
  server.on('error', (error) => log.warn({ err: error }, 'the server for health and metrics has a problem'));
  const listening = server.address() as AddressInfo;
  log.info({ host, port: listening.port }, 'health and metrics can be asked for');
  return {
    address: { host, port: listening.port },
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
};

const listenError = (
  code: string | undefined,
  host: string,
  port: number,
  setting: string,
  cause: unknown,
): unknown => {
  if (code === 'EADDRINUSE')
    return new TocsinError(
      'PORT_TAKEN',
      `Port ${port} on ${host} is taken. Set ${setting} to another port, or to off.`,
      {
        cause,
      },
    );
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return new TocsinError(
      'PORT_FORBIDDEN',
      `Nothing can listen on port ${port} of ${host} (${code}). Set ${setting} or TOCSIN_HOST to what this machine has.`,
      { cause },
    );
  return cause;
};

/** The web framework is loaded here, so that a worker without a port never does. */
const createServer = async ({ health, ready, metrics, hooks = [], log }: WorkerServerOptions): Promise<Server> => {
  const [{ Hono }, { bodyLimit }, { createAdaptorServer }] = await Promise.all([
    import('hono'),
    import('hono/body-limit'),
    import('@hono/node-server'),
  ]);
  const app = new Hono();
  app.use(async (context, next) => {
    await next();
    context.header('Cache-Control', 'no-store');
    context.header('X-Content-Type-Options', 'nosniff');
  });
  app.get('/healthz', (context) => {
    const checks = health();
    return context.json({ status: allFine(checks) ? 'ok' : 'failing', checks }, allFine(checks) ? 200 : 503);
  });
  app.get('/readyz', async (context) => {
    const checks = await withinTime(ready);
    return context.json({ status: allFine(checks) ? 'ok' : 'failing', checks }, allFine(checks) ? 200 : 503);
  });
  app.get('/metrics', async (context) => {
    const { contentType, text } = await metrics.read();
    return context.body(text, 200, { 'Content-Type': contentType });
  });
  for (const { path, handle } of hooks)
    app.post(
      path,
      bodyLimit({ maxSize: requestBytesMax, onError: (context) => context.text('The body is too large.', 413) }),
      async (context) => {
        const body = new Uint8Array(await context.req.arrayBuffer());
        const { status, text } = await handle({ headers: context.req.header(), body });
        return new Response(text, { status, headers: { 'Content-Type': 'text/plain; charset=utf-8' } });
      },
    );
  app.onError((error, context) => {
    if (isTransientDatabaseError(error)) {
      log.warn({ err: error, path: context.req.path }, 'a request could not be answered while the database is away');
      return context.text('The database is away just now. Try again.', 503);
    }
    log.error({ err: error, path: context.req.path }, 'a request could not be answered');
    return context.text('It could not be answered. The log says why.', 500);
  });
  app.notFound((context) => context.text('There is /healthz, /readyz and /metrics.', 404));
  return createAdaptorServer({ fetch: app.fetch }) as Server;
};

const allFine = (checks: readonly HealthCheck[]): boolean => checks.every(({ ok }) => ok);

const withinTime = async (ready: WorkerServerOptions['ready']): Promise<readonly HealthCheck[]> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<readonly HealthCheck[]>((resolve) => {
    timer = setTimeout(
      () => resolve([{ name: 'answer', ok: false, detail: `no answer within ${reportTimeoutMs / 1_000} s` }]),
      reportTimeoutMs,
    );
  });
  const report = ready().catch((): readonly HealthCheck[] => [
    { name: 'database', ok: false, detail: 'cannot be asked; the log says why' },
  ]);
  return Promise.race([report, late]).finally(() => clearTimeout(timer));
};
