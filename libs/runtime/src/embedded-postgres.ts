import { mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { locatePostgresBinaries } from './embedded-postgres-binaries.ts';
import { createCluster, embeddedUser, findCluster, removeCluster } from './embedded-postgres-cluster.ts';
import type { Cluster } from './embedded-postgres-cluster.ts';
import {
  forgetMistakenServer,
  freePort,
  isRunning,
  readPostmaster,
  startServer,
  stopServer,
} from './embedded-postgres-server.ts';
import type { StopMode } from './embedded-postgres-server.ts';
import { TocsinError } from './errors.ts';
import { claimOwnership } from './folder-owner.ts';
import { databaseErrorKind } from './postgres-errors.ts';
import { withRetries } from './transaction.ts';

export type EmbeddedPostgres = {
  /** Superuser on the database `tocsin`. Holds the password. Stays the same over `restart`. */
  readonly connectionString: string;
  /** Whether a server was found running that an earlier process left behind when it was killed. */
  readonly adopted: boolean;
  /** Stops the server (`fast` if not told otherwise) and gives the directory free. May be called twice. */
  stop(mode?: StopMode): Promise<void>;
  /** Stops and starts the server on the same port. With `immediate`, as after a crash. */
  restart(mode?: StopMode): Promise<void>;
  /**
   * Stops the server and deletes its data, wherever that lies, and its files in the directory; for tests. Removing the
   * directory alone would leave data behind that had to be put elsewhere (see `createCluster`).
   */
  remove(): Promise<void>;
};

export type EmbeddedPostgresOptions = {
  /** Holds everything: data, password, log. Made if missing. One running process per directory. */
  readonly directory: string;
  /** `false` trades safety for speed (no fsync at all) and is for tests only. */
  readonly durable: boolean;
  /** Further settings of the server, such as `{ max_connections: '200' }`. */
  readonly settings?: Readonly<Record<string, string>>;
};

const embeddedDatabase = 'tocsin';
const connectTimeoutMs = 5_000;
const connectAttemptsMax = 8;
const startAttemptsMax = 3;
const notDurable = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' } as const;

/**
 * Runs a real PostgreSQL as a process of its own, reachable on 127.0.0.1 with a generated password. Its data stays
 * from start to start, and so does its port if it is still free. A server that outlived its process (SIGKILL) is
 * adopted as it is, with the settings it has.
 *
 * Throws TocsinError: EMBEDDED_POSTGRES_IN_USE if another living process has this directory, _UNSUPPORTED, _MISSING,
 * _INITDB_FAILED, _START_FAILED, _PASSWORD_LOST, _DATA_LOST.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  await mkdir(options.directory, { recursive: true });
  const directory = await realpath(options.directory);
  const claim = await claimOwnership(join(directory, 'postgres-owner'));
  if ('ownedBy' in claim) {
    throw new TocsinError(
      'EMBEDDED_POSTGRES_IN_USE',
      `The embedded PostgreSQL in ${directory} is in use by process ${claim.ownedBy}. Stop that process, or start here with DATABASE_URL or another directory.`,
    );
  }
  try {
    const binaries = await locatePostgresBinaries();
    const cluster = (await findCluster(directory)) ?? (await createCluster(directory, binaries, options.durable));
    const settings = {
      timezone: 'UTC',
      log_timezone: 'UTC',
      jit: 'off',
      ...(options.durable ? {} : notDurable),
      ...options.settings,
    };
    const start = (preferredPort: number | undefined): Promise<number> =>
      startOnFreePort(preferredPort, (port) =>
        startServer({
          binaries,
          dataFolder: cluster.dataFolder,
          logFile: join(directory, 'postgres.log'),
          port,
          settings,
        }),
      );

    const runningPort = await adopt(cluster);
    const port = runningPort ?? (await start(await readPort(directory)));
    await writeFile(join(directory, 'postgres-port'), String(port));
    await ensureDatabase(cluster, port);

    let stopped: Promise<void> | undefined;
    const stop = (mode: StopMode): Promise<void> =>
      (stopped ??= stopServer(cluster.dataFolder, mode).then(claim.release));
    return {
      connectionString: connectionString(cluster, port, embeddedDatabase),
      adopted: runningPort !== undefined,
      stop: (mode = 'fast') => stop(mode),
      restart: async (mode = 'fast') => {
        await stopServer(cluster.dataFolder, mode);
        const newPort = await start(port);
        if (newPort !== port) {
          throw new TocsinError(
            'EMBEDDED_POSTGRES_START_FAILED',
            `Port ${port} was taken by another program during the restart.`,
          );
        }
      },
      remove: async () => {
        await stop('immediate');
        await removeCluster(directory, cluster);
      },
    };
  } catch (error) {
    await claim.release();
    throw error;
  }
}

/**
 * The connection string of the server that another process runs in this directory, for commands that look in while
 * `tocsin up` is running; `undefined` if none is running there. Starts and changes nothing.
 */
export async function findEmbeddedPostgres(directory: string): Promise<string | undefined> {
  const cluster = await findCluster(directory);
  if (cluster === undefined) return undefined;
  const postmaster = await readPostmaster(cluster.dataFolder);
  if (postmaster === undefined || !(await isRunning(postmaster, cluster.dataFolder))) return undefined;
  return connectionString(cluster, postmaster.port, embeddedDatabase);
}

/** The port of a server still running on this data, once it answers to our password; `undefined` if there is none. */
async function adopt(cluster: Cluster): Promise<number | undefined> {
  const postmaster = await readPostmaster(cluster.dataFolder);
  if (postmaster === undefined) return undefined;
  if (!(await isRunning(postmaster, cluster.dataFolder))) {
    await forgetMistakenServer(cluster.dataFolder, postmaster);
    return undefined;
  }
  await query(cluster, postmaster.port, 'select 1');
  return postmaster.port;
}

/** Another program may take the port between our look and the server's, so a few ports are tried. */
async function startOnFreePort(
  preferred: number | undefined,
  start: (port: number) => Promise<{ readonly port: number }>,
): Promise<number> {
  let port = await freePort(preferred);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return (await start(port)).port;
    } catch (error) {
      const free = await freePort(port);
      if (free === port || attempt >= startAttemptsMax) throw error;
      port = free;
    }
  }
}

async function ensureDatabase(cluster: Cluster, port: number): Promise<void> {
  const { rowCount } = await query(cluster, port, 'select from pg_database where datname = $1', [embeddedDatabase]);
  if (rowCount === 0) await query(cluster, port, `create database ${embeddedDatabase}`);
}

/** One statement on the maintenance database. Tries again while the server is still recovering. */
function query(cluster: Cluster, port: number, text: string, values: unknown[] = []): Promise<pg.QueryResult> {
  return withRetries(
    async () => {
      const client = new pg.Client({
        connectionString: connectionString(cluster, port, 'postgres'),
        connectionTimeoutMillis: connectTimeoutMs,
      });
      client.on('error', () => {});
      try {
        await client.connect();
        return await client.query(text, values);
      } finally {
        await client.end();
      }
    },
    { attemptsMax: connectAttemptsMax, isRetryable: (error) => databaseErrorKind(error) === 'cannot_connect_now' },
  );
}

/** TLS is named off, because PGSSLMODE of the shell would count otherwise and this server has none. */
function connectionString(cluster: Cluster, port: number, database: string): string {
  return `postgres://${embeddedUser}:${cluster.password}@127.0.0.1:${port}/${database}?sslmode=disable`;
}

async function readPort(directory: string): Promise<number | undefined> {
  const port = Number(await readFile(join(directory, 'postgres-port'), 'utf8').catch(() => ''));
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
}
