import { chmod, mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '@tocsin/runtime';

/** A server for tests. `adminUrl` may create databases. */
export type TestServer = {
  readonly adminUrl: string;
  readonly stop: () => Promise<void>;
};

const containerImage = 'postgres:18';
/** Test files run side by side, each with several pools. */
const maxConnections = '200';
/** The file system in memory of Linux; a container may have one that is too small. */
const memoryFolder = '/dev/shm';
/** Several times what the databases of a run have ever taken. */
const memoryMinBytes = 4 * 1024 ** 3;

/**
 * The server of one test run: the one at TEST_DATABASE_URL if set (its user must be allowed to create databases); a
 * container with TEST_POSTGRES=testcontainers; otherwise an embedded one in a folder for temporary files.
 */
export async function startTestServer(): Promise<TestServer> {
  const given = process.env['TEST_DATABASE_URL'];
  if (given) return { adminUrl: given, stop: async () => {} };
  const kind = process.env['TEST_POSTGRES'] || 'embedded';
  if (kind === 'testcontainers') return startContainer();
  if (kind === 'embedded') return startEmbedded();
  throw new Error(`TEST_POSTGRES is ${JSON.stringify(kind)}; use "embedded" or "testcontainers".`);
}

async function startEmbedded(): Promise<TestServer> {
  const directory = await mkdtemp(join(await findFolder(), 'tocsin-test-'));
  // As root the server runs as another account, which keeps its data here only if it may enter.
  await chmod(directory, 0o711);
  const server = await startEmbeddedPostgres({
    directory,
    durable: false,
    settings: { max_connections: maxConnections },
  });
  return {
    adminUrl: server.connectionString,
    stop: async () => {
      await server.remove();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** In memory where Linux offers enough of it: every test file makes a database, of a thousand files. */
async function findFolder(): Promise<string> {
  const memory = await statfs(memoryFolder).catch(() => undefined);
  return memory !== undefined && memory.bavail * memory.bsize >= memoryMinBytes ? memoryFolder : tmpdir();
}

async function startContainer(): Promise<TestServer> {
  // Ryuk is a second image that only cleans up after killed runs, and this run stops its container itself. Where
  // Docker publishes on loopback only, set TESTCONTAINERS_HOST_OVERRIDE=127.0.0.1.
  process.env['TESTCONTAINERS_RYUK_DISABLED'] ??= 'true';
  const { PostgreSqlContainer } = await import('@testcontainers/postgresql');
  const container = await new PostgreSqlContainer(containerImage)
    .withCommand(['postgres', '-c', `max_connections=${maxConnections}`, '-c', 'fsync=off'])
    .start();
  return {
    adminUrl: container.getConnectionUri(),
    stop: async () => {
      await container.stop();
    },
  };
}
