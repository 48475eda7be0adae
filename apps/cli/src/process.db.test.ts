import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createTestDatabase, insertFailedResearchJob } from '@tocsin/testing';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { emptyFolder } from './cli-world.fixture.ts';

const database = await createTestDatabase();
const bin = join(dirname(fileURLToPath(import.meta.url)), '../bin/tocsin.mjs');
const running = new Set<ChildProcess>();

interface Child {
  readonly process: ChildProcess;
  readonly out: () => string;
  readonly err: () => string;
  readonly ended: Promise<number | null>;
  /** Resolves with the entry when the process logs it, or with undefined when it ends before. */
  readonly logs: (message: string) => Promise<Readonly<Record<string, unknown>> | undefined>;
}

/** The real program, in a process of its own, with nothing of this shell's environment that it might read. */
const start = (
  args: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>>; readonly cwd?: string; readonly ipc?: boolean } = {},
): Child => {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd: options.cwd ?? emptyFolder(),
    env: { PATH: process.env['PATH'], ...options.env },
    stdio: ['ignore', 'pipe', 'pipe', ...(options.ipc === true ? (['ipc'] as const) : [])],
  });
  running.add(child);
  let out = '';
  let err = '';
  const listeners = new Set<() => void>();
  child.stdout?.on('data', (data) => {
    out += String(data);
    for (const listener of listeners) listener();
  });
  child.stderr?.on('data', (data) => {
    err += String(data);
  });
  // Not the event `close` of the child, which does not come when the channel was closed from here.
  const streams = [child.stdout, child.stderr].flatMap((stream) => (stream === null ? [] : [once(stream, 'close')]));
  const ended = Promise.all([once(child, 'exit'), ...streams]).then(([[code]]) => {
    running.delete(child);
    for (const listener of listeners) listener();
    return code as number | null;
  });
  return {
    process: child,
    out: () => out,
    err: () => err,
    ended,
    logs: (message) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = out.split('\n').find((line) => line.includes(`"msg":${JSON.stringify(message)}`));
          if (found !== undefined) resolve(JSON.parse(found) as Readonly<Record<string, unknown>>);
          else if (!running.has(child)) resolve(undefined);
        };
        listeners.add(look);
        look();
      }),
  };
};

afterEach(async () => {
  for (const child of running) {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    running.delete(child);
  }
});

test.each([
  [['--version'], 0],
  [['nonsense'], 2],
  [['console'], 2],
  [['alerts', 'list'], 0],
  [['alerts', 'show', 'job/no/such'], 1],
  [['replay', '--all', '--verify'], 0],
  [['doctor', '--json'], 0],
  [['migrate', '--check'], 0],
])('%j ends with exit code %i and without a stack', async (args, code) => {
  const child = start(args, { env: { DATABASE_URL: database.connectionString } });
  expect(await child.ended).toBe(code);
  expect(child.err()).not.toContain('    at ');
});

test.each(['detector', 'notifier', 'up'])(
  '%s says in one sentence that its database does not answer, and exits 1',
  async (command) => {
    const child = start([command], { env: { DATABASE_URL: 'postgres://me:hush-hush@127.0.0.1:1/app' } });
    expect(await child.ended).toBe(1);
    expect(child.err()).toMatch(/^tocsin: No PostgreSQL answers at 127\.0\.0\.1:1/);
    expect(child.err() + child.out()).not.toMatch(/hush-hush| {4}at /);
  },
);

test('for cron: detector --once finds a failure, notifier --once tells of it, and both end', async () => {
  const cwd = emptyFolder();
  const env = { DATABASE_URL: database.connectionString, TOCSIN_DIGEST_WINDOW: '0' };
  const jobId = await insertFailedResearchJob(database.pool);
  for (const command of ['detector', 'notifier']) {
    const child = start([command, '--once'], { env, cwd });
    expect([command, await child.ended, child.err()]).toEqual([command, 0, '']);
  }
  const explained = start(['alerts', 'explain', '--job', jobId], { env, cwd });
  expect(await explained.ended).toBe(0);
  expect(explained.out()).toContain('told on route default: outbox accepted it at');
});

test('an output that nobody reads any more ends the command quietly', async () => {
  const child = start(['config', 'schema']);
  child.process.stdout?.destroy();
  expect(await child.ended).toBe(0);
  expect(child.err()).toBe('');
});

describe('up with an embedded database', () => {
  const cwd = emptyFolder();
  // The server runs as another user when this test runs as root, and must get to its folder.
  beforeAll(() => {
    chmodSync(cwd, 0o755);
    return () => rmSync(cwd, { recursive: true, force: true });
  });

  test(
    'it says what it watches and whom it tells, keeps the address to its owner, and stops in order',
    { timeout: 60_000 },
    async () => {
      // Whatever the log level: others wait for this line.
      const up = start(['up'], { cwd, env: { LOG_LEVEL: 'error' } });
      const entry = await up.logs('tocsin is up');
      expect(entry).toMatchObject({
        database: expect.stringContaining(':***@127.0.0.1'),
        routes: [{ name: 'default', channels: ['outbox'] }],
        tables: [{ name: 'research_jobs', table: 'public.research_jobs' }],
      });
      const file = join(cwd, '.tocsin/database-url');
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(readFileSync(file, 'utf8')).toMatch(/^postgres:\/\/postgres:[^*@]+@127\.0\.0\.1:\d+\/tocsin/);
      expect(readFileSync(join(cwd, '.tocsin/.gitignore'), 'utf8')).toBe('*\n');

      const second = start(['up'], { cwd });
      expect(await second.ended).toBe(1);
      expect(second.err()).toMatch(/is in use by process \d+/);
      const doctor = start(['doctor'], { cwd });
      expect(await doctor.ended).toBe(0);
      expect(doctor.out()).toContain('0 unaccounted of 0 final failures');

      up.process.kill('SIGTERM');
      expect(await up.ended).toBe(0);
      expect(existsSync(join(cwd, '.tocsin/postgres/postmaster.pid'))).toBe(false);
      const after = start(['alerts', 'list'], { cwd });
      expect(await after.ended).toBe(2);
      expect(after.err()).toContain('is not running. Start it with: npx tocsin up');
    },
  );

  test('it stops when the process that started it is gone', { timeout: 60_000 }, async () => {
    const up = start(['up'], { cwd, ipc: true });
    expect(await up.logs('tocsin is up')).toBeDefined();
    up.process.disconnect();
    expect(await up.ended).toBe(0);
    expect(existsSync(join(cwd, '.tocsin/postgres/postmaster.pid'))).toBe(false);
  });
});
