import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readFile, realpath, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { findEmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.ts';
import type { EmbeddedPostgres } from './embedded-postgres.ts';
import { createPool } from './pool.ts';
import { isTransientDatabaseError } from './postgres-errors.ts';
import { withRetries } from './transaction.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let directory = '';
let started: EmbeddedPostgres[] = [];
const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tocsin-embedded-'));
  started = [];
});

afterEach(async () => {
  for (const server of started) await server.remove();
  await rm(directory, { recursive: true, force: true });
});

async function start(): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ directory, durable: false });
  started.push(server);
  return server;
}

async function query(connectionString: string, text: string): Promise<unknown> {
  const pool = createPool({ connectionString, max: 1, applicationName: 'test', onError: () => {} });
  try {
    return (await pool.query(text)).rows;
  } finally {
    await pool.end();
  }
}

/** Runs a process that starts the server on `directory`, keeps it running and prints its connection string. */
async function startInOtherProcess(): Promise<{
  readonly connectionString: string;
  readonly kill: () => Promise<void>;
}> {
  const program = `
    import { startEmbeddedPostgres } from ${JSON.stringify(new URL('./embedded-postgres.ts', import.meta.url).href)};
    const server = await startEmbeddedPostgres({ directory: process.argv[1], durable: false });
    console.log(server.connectionString);
    setInterval(() => {}, 60_000);`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', program, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [printed] = (await once(child.stdout, 'data')) as [Buffer];
  return {
    connectionString: printed.toString().trim(),
    kill: async () => {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

describe('startEmbeddedPostgres', () => {
  test('makes a UTF-8 database with a password that only its owner can read', async () => {
    const server = await start();
    expect(server.adopted).toBe(false);
    expect(
      await query(server.connectionString, `select current_database() as database, getdatabaseencoding() as encoding`),
    ).toEqual([{ database: 'tocsin', encoding: 'UTF8' }]);
    const passwordFile = join(directory, 'postgres-password');
    expect((await stat(passwordFile)).mode & 0o777).toBe(0o600);
    expect(new URL(server.connectionString).password).toBe(await readFile(passwordFile, 'utf8'));
  });

  test('refuses a connection without the password and listens on loopback only', async () => {
    const server = await start();
    const wrong = new URL(server.connectionString);
    wrong.password = 'mistaken';
    await expect(query(wrong.href, 'select 1')).rejects.toMatchObject({ code: '28P01' });
    expect(await query(server.connectionString, 'show listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
  });

  test('keeps data, password and port from start to start', async () => {
    const first = await start();
    await query(first.connectionString, 'create table kept as select 42 as answer');
    await first.stop();
    await expect(query(first.connectionString, 'select 1')).rejects.toSatisfy(isTransientDatabaseError);
    const second = await start();
    expect(second).toMatchObject({ connectionString: first.connectionString, adopted: false });
    expect(await query(second.connectionString, 'select answer from kept')).toEqual([{ answer: 42 }]);
  });

  test('moves to another port when its own is taken', async () => {
    const first = await start();
    await first.stop();
    const taken = await startEmbeddedPostgres({ directory: join(directory, 'other'), durable: false });
    started.push(taken);
    await writeFile(join(directory, 'postgres-port'), new URL(taken.connectionString).port);
    const second = await start();
    expect(new URL(second.connectionString).port).not.toBe(new URL(taken.connectionString).port);
    expect(await query(second.connectionString, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('restarts in place, in good order or as after a crash', async () => {
    const server = await start();
    await query(server.connectionString, 'create table kept as select 42 as answer');
    for (const mode of ['fast', 'immediate'] as const) {
      await server.restart(mode);
      const rows = await withRetries(() => query(server.connectionString, 'select answer from kept'));
      expect(rows).toEqual([{ answer: 42 }]);
    }
  });

  test('adopts the server that a killed process left running', async () => {
    const other = await startInOtherProcess();
    await query(other.connectionString, 'create table kept as select 42 as answer');
    await other.kill();
    expect(await query(other.connectionString, 'select answer from kept')).toEqual([{ answer: 42 }]);
    const server = await start();
    expect(server).toMatchObject({ connectionString: other.connectionString, adopted: true });
    await server.stop();
    await expect(query(other.connectionString, 'select 1')).rejects.toSatisfy(isTransientDatabaseError);
  });

  test('refuses a directory that another living process has, and names that process', async () => {
    const other = await startInOtherProcess();
    try {
      await expect(start()).rejects.toMatchObject({ code: 'EMBEDDED_POSTGRES_IN_USE' });
      expect(await query(other.connectionString, 'select 1 as one')).toEqual([{ one: 1 }]);
    } finally {
      await other.kill();
      await start();
    }
  });

  test('says what to do when the password is lost', async () => {
    await (await start()).stop();
    await rm(join(directory, 'postgres-password'));
    await expect(start()).rejects.toMatchObject({
      code: 'EMBEDDED_POSTGRES_PASSWORD_LOST',
      message: expect.stringContaining('Restore the file, or remove') as string,
    });
  });

  test('does not begin an empty database in the place of one that is gone', async () => {
    const server = await start();
    const dataFolder = await realpath(join(directory, 'postgres'));
    await server.stop();
    await rename(dataFolder, `${dataFolder}-away`);
    // Below a folder that the server's account cannot enter it is a link already.
    await rm(join(directory, 'postgres'), { force: true });
    await symlink(dataFolder, join(directory, 'postgres'));
    try {
      await expect(start()).rejects.toMatchObject({ code: 'EMBEDDED_POSTGRES_DATA_LOST' });
    } finally {
      if (dirname(dataFolder) === (await realpath(directory))) await rm(dataFolder);
      await rename(`${dataFolder}-away`, dataFolder);
    }
  });

  test('repeats the log of a server that does not start', async () => {
    await (await start()).stop();
    const attempt = startEmbeddedPostgres({ directory, durable: false, settings: { max_connections: 'many' } });
    await expect(attempt).rejects.toMatchObject({
      code: 'EMBEDDED_POSTGRES_START_FAILED',
      message: expect.stringContaining('invalid value for parameter "max_connections"') as string,
    });
  });
});

test('remove deletes the data of this server wherever it lies, and nothing of another', async () => {
  const server = await start();
  const other = await startEmbeddedPostgres({ directory: join(directory, 'other'), durable: false });
  started.push(other);
  const dataFolder = await realpath(join(directory, 'postgres'));
  await server.remove();
  expect(await exists(dataFolder)).toBe(false);
  expect(await exists(join(directory, 'postgres-password'))).toBe(false);
  expect(await query(other.connectionString, 'select 1 as one')).toEqual([{ one: 1 }]);
});

describe('findEmbeddedPostgres', () => {
  test('finds a running server and nothing else', async () => {
    expect(await findEmbeddedPostgres(directory)).toBeUndefined();
    const server = await start();
    expect(await findEmbeddedPostgres(directory)).toBe(server.connectionString);
    await server.stop();
    expect(await findEmbeddedPostgres(directory)).toBeUndefined();
  });
});
