import { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

export type ListenOptions = {
  /** Directly to the server: a pooler that shares connections between clients, such as PgBouncer in transaction mode, loses notifications without an error. */
  readonly connectionString: string;
  /** Name of the channel, as in `notify NAME`; quoted here, so upper and lower case count. */
  readonly channel: string;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  /** Told of each notification, and once after every reconnection, because some may have been missed. */
  readonly onNotify: (payload: string) => void;
  /** Told of every connection that was lost or could not be made. The next attempt follows by itself. */
  readonly onProblem: (error: Error) => void;
};

/** A running `listen`. */
export type Listener = {
  /** Closes the connection; nothing is told afterwards. May be called twice. */
  readonly stop: () => Promise<void>;
};

const connectTimeoutMs = 10_000;
const keepAliveInitialDelayMs = 10_000;
/** Pause after the first failure; doubles with each further one. */
const backoffFirstMs = 250;
const backoffMaxMs = 30_000;
/** Between two questions to the server whether the connection still lives: a firewall may have dropped it silently. */
const probeEveryMs = 60_000;
const probeTimeoutMs = 10_000;
/** For a good end of a connection; then it is cut. */
const closeTimeoutMs = 1_000;

/**
 * Listens for notifications (https://www.postgresql.org/docs/current/sql-notify.html) on a connection of its own, for as
 * long as it is not stopped. Returns at once and never throws: what goes wrong is told to `onProblem`, and it connects
 * again, after pauses that grow to half a minute and vary at random, so that many processes do not return together.
 *
 * Notifications are hints: they are lost while there is no connection. Whoever needs every one must look for itself too.
 */
export function listen(options: ListenOptions): Listener {
  const stopping = new AbortController();
  const finished = keepListening(options, stopping.signal);
  return {
    stop: async () => {
      stopping.abort();
      await finished;
    },
  };
}

async function keepListening(options: ListenOptions, stopped: AbortSignal): Promise<void> {
  const tell = (callback: () => void): void => {
    if (stopped.aborted) return;
    try {
      callback();
    } catch (error) {
      // A fault of the caller's callback must not end the process from within a socket's event.
      if (!stopped.aborted) quietly(() => options.onProblem(toError(error)));
    }
  };
  let failures = 0;
  let connections = 0;
  while (!stopped.aborted) {
    const startedMs = performance.now();
    try {
      await listenOnce(options, stopped, tell, () => {
        connections += 1;
        if (connections > 1) tell(() => options.onNotify(''));
      });
    } catch (error) {
      // One that held for long counts as a success, one that is lost at once does not.
      failures = performance.now() - startedMs > backoffMaxMs ? 1 : failures + 1;
      tell(() => options.onProblem(toError(error)));
      const pauseMs = Math.min(backoffFirstMs * 2 ** Math.min(failures - 1, 16), backoffMaxMs);
      await delay(pauseMs * (0.5 + Math.random() / 2), undefined, { signal: stopped }).catch(() => {});
    }
  }
}

/** One connection, from its making to its loss, which is thrown; returns when stopped. */
async function listenOnce(
  { connectionString, channel, applicationName, onNotify }: ListenOptions,
  stopped: AbortSignal,
  tell: (callback: () => void) => void,
  onListening: () => void,
): Promise<void> {
  const socket = new Socket();
  const client = new pg.Client({
    connectionString,
    stream: () => socket,
    application_name: applicationName,
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveInitialDelayMs,
    query_timeout: probeTimeoutMs,
  });
  const over = Promise.withResolvers<void>();
  // Handled below or not needed any more; without this an early loss would count as unhandled.
  over.promise.catch(() => {});
  const onStop = (): void => over.resolve();
  stopped.addEventListener('abort', onStop, { once: true });
  client.on('error', (error) => over.reject(error));
  client.on('end', () => over.reject(new Error('The server closed the connection.')));
  client.on('notification', ({ payload }) => tell(() => onNotify(payload ?? '')));
  let probe: NodeJS.Timeout | undefined;
  try {
    await Promise.race([client.connect(), over.promise]);
    if (stopped.aborted) return;
    await client.query(`listen ${client.escapeIdentifier(channel)}`);
    onListening();
    probe = setInterval(() => {
      client.query('select 1').catch((error: unknown) => over.reject(toError(error)));
    }, probeEveryMs);
    await over.promise;
  } finally {
    clearInterval(probe);
    stopped.removeEventListener('abort', onStop);
    await closeConnection(client, socket);
  }
}

/** Ends a connection in good order, or after a while without the server's agreement. */
async function closeConnection(client: pg.Client, socket: Socket): Promise<void> {
  const patience = new AbortController();
  await Promise.race([
    client.end().catch(() => {}),
    delay(closeTimeoutMs, undefined, { signal: patience.signal }).catch(() => {}),
  ]);
  patience.abort();
  socket.destroy();
}

function quietly(callback: () => void): void {
  try {
    callback();
  } catch {
    // Whoever cannot even be told of a problem is not told of it.
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
