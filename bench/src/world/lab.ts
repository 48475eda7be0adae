import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrateQueue } from '@tocsin/queue';
import { createPool, migrate, startEmbeddedPostgres } from '@tocsin/runtime';
import type { EmbeddedPostgres, Pool } from '@tocsin/runtime';
import { statementLogSettings } from '../measure/statement-log.ts';

/** Statements that fill a table with millions of rows take their time, in milliseconds. */
const statementTimeoutMs = 1_800_000;
const poolConnectionsMax = 4;

/** A database of its own for one measurement, migrated, on the server all share. */
export interface LabDatabase {
  readonly connectionString: string;
  /** For the measurement itself; its statements are not counted among the workers'. */
  readonly pool: Pool;
  /** Closes the pool; the database stays until the server is removed. */
  readonly close: () => Promise<void>;
}

/** Where measurements happen: one PostgreSQL with production's durability, and a folder for files. */
export interface Lab {
  readonly newDatabase: () => Promise<LabDatabase>;
  readonly newDirectory: (name: string) => Promise<string>;
  /** The server's log, in which statements are counted. */
  readonly serverLog: string;
  /** Options of Node itself for the workers. */
  readonly nodeOptions: readonly string[];
  /** The log of a storm, left by that measurement for the next; null when there was none. */
  stormDatabase: LabDatabase | null;
  readonly close: () => Promise<void>;
}

export interface LabOptions {
  readonly nodeOptions: readonly string[];
  /** Leaves the folder behind, and says where it is; the server stops all the same. */
  readonly keep: boolean;
}

/**
 * Starts a PostgreSQL as an installation has it: fsync, synchronous commits and full page writes on, all else at its
 * default, but that statements are logged. Its files lie in the system's temporary folder and go with `close`.
 */
export const openLab = async (options: LabOptions): Promise<Lab> => {
  const root = await mkdtemp(join(tmpdir(), 'tocsin-bench-'));
  const serverFolder = join(root, 'postgres');
  const server = await startEmbeddedPostgres({
    directory: serverFolder,
    durable: true,
    settings: statementLogSettings,
  });
  const pools: Pool[] = [];
  let databases = 0;
  let directories = 0;
  return {
    newDatabase: async () => {
      databases += 1;
      const database = await createDatabase(server, `bench_${databases}`);
      pools.push(database.pool);
      return database;
    },
    newDirectory: async (name) => {
      directories += 1;
      const directory = join(root, `${name}-${directories}`);
      await mkdir(directory);
      return directory;
    },
    serverLog: join(serverFolder, 'postgres.log'),
    nodeOptions: options.nodeOptions,
    stormDatabase: null,
    close: async () => {
      await Promise.all(pools.map((pool) => pool.end()));
      if (options.keep) {
        await server.stop();
        console.log(`logs and data are left in ${root}`);
        return;
      }
      await server.remove();
      await rm(root, { recursive: true, force: true });
    },
  };
};

const createDatabase = async (server: EmbeddedPostgres, name: string): Promise<LabDatabase> => {
  const open = (connectionString: string): Pool =>
    createPool({
      connectionString,
      max: poolConnectionsMax,
      applicationName: 'bench',
      onError: () => {},
      statementTimeoutMs,
    });
  const admin = open(server.connectionString);
  try {
    // The name is made here of letters and a number, so it needs no quoting.
    await admin.query(`create database ${name}`);
  } finally {
    await admin.end();
  }
  const url = new URL(server.connectionString);
  url.pathname = `/${name}`;
  const connectionString = url.href;
  await migrate({ connectionString, log: () => {} });
  await migrateQueue({ connectionString });
  const pool = open(connectionString);
  return { connectionString, pool, close: () => pool.end() };
};
