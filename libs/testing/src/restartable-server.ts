import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrateQueue } from '@tocsin/queue';
import { migrate, startEmbeddedPostgres } from '@tocsin/runtime';
import { afterAll, vi } from 'vitest';

/** A migrated database on a server of its own, which a test may restart or crash without disturbing other files. */
export type RestartableServer = {
  readonly connectionString: string;
  /** `fast` ends all connections in good order, `immediate` is a crash with recovery. Same port afterwards. */
  readonly restart: (mode: 'fast' | 'immediate') => Promise<void>;
  /** Stops it until `start`. Others find nobody at its address. */
  readonly stop: () => Promise<void>;
  /** Starts it again on the same port. */
  readonly start: () => Promise<void>;
};

const testTimeoutMs = 120_000;

/** Starts such a server for this test file; it is stopped and removed when the file is done. Always embedded. Call it at the top
 * of the file: what a test registers for the end of its file is not called. */
export async function startRestartableServer(): Promise<RestartableServer> {
  vi.setConfig({ testTimeout: testTimeoutMs, hookTimeout: testTimeoutMs });
  const directory = await mkdtemp(join(tmpdir(), 'tocsin-chaos-'));
  // Durable, because what is committed must survive the crash a test makes.
  const run = () => startEmbeddedPostgres({ directory, durable: true });
  let server = await run();
  afterAll(async () => {
    await server.remove();
    await rm(directory, { recursive: true, force: true });
  });
  await migrate({ connectionString: server.connectionString, log: () => {} });
  await migrateQueue({ connectionString: server.connectionString });
  const { connectionString } = server;
  return {
    connectionString,
    restart: (mode) => server.restart(mode),
    stop: () => server.stop(),
    start: async () => {
      server = await run();
      if (server.connectionString !== connectionString)
        throw new Error('The port of the stopped server was taken by another program.');
    },
  };
}
