import { spawn } from 'node:child_process';
import { open, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { serverAccount } from './embedded-postgres-account.ts';
import type { PostgresBinaries } from './embedded-postgres-binaries.ts';
import { TocsinError } from './errors.ts';
import { processExists } from './process-identity.ts';

/** Milliseconds until a server must accept connections. Long, because it may have to recover from a crash first. */
const startTimeoutMs = 120_000;
const stopTimeoutMs = 30_000;
const pollMs = 10;
/** Characters of the server's log that an error message repeats. */
const logTailMax = 2_000;

/** What postmaster.pid says (https://www.postgresql.org/docs/current/storage-file-layout.html). */
export type Postmaster = { readonly pid: number; readonly port: number; readonly ready: boolean };

/**
 * `fast` ends connections and stops in good order; `immediate` stops at once, as a crash would, and the next start
 * recovers from the write-ahead log.
 */
export type StopMode = 'fast' | 'immediate';

/** The server that runs on this data folder, or ran there until it was killed; `undefined` after a stop in good order. */
export async function readPostmaster(dataFolder: string): Promise<Postmaster | undefined> {
  const lines = (await readFile(join(dataFolder, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
  const pid = Number(lines[0]);
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  return { pid, port: Number(lines[3]), ready: lines[7]?.trim() === 'ready' };
}

/**
 * Whether the process named in postmaster.pid is that server and not a later process with the same id. Known on Linux;
 * elsewhere the existence of the process has to do.
 */
export async function isRunning(postmaster: Postmaster, dataFolder: string): Promise<boolean> {
  if (!processExists(postmaster.pid)) return false;
  if (process.platform !== 'linux') return true;
  const commandLine = await readFile(`/proc/${postmaster.pid}/cmdline`, 'utf8').catch(() => '');
  return commandLine.split('\0').includes(dataFolder);
}

/** Starts a server in the background, where no Ctrl-C of a terminal reaches it, and waits until it accepts connections. */
export async function startServer(options: {
  readonly binaries: PostgresBinaries;
  readonly dataFolder: string;
  readonly logFile: string;
  readonly port: number;
  readonly settings: Readonly<Record<string, string>>;
}): Promise<Postmaster> {
  const settings = {
    ...options.settings,
    port: String(options.port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
  };
  const log = await open(options.logFile, 'w', 0o600);
  try {
    const child = spawn(
      options.binaries.postgres,
      ['-D', options.dataFolder, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      {
        cwd: options.dataFolder,
        env: serverEnvironment(),
        detached: true,
        stdio: ['ignore', log.fd, log.fd],
        windowsHide: true,
        ...serverAccount(),
      },
    );
    child.unref();
    let ended: string | undefined;
    child.once('error', (error) => (ended = error.message));
    child.once('exit', (code, signal) => (ended ??= `it ended with ${code === null ? signal : `exit code ${code}`}`));

    const deadline = performance.now() + startTimeoutMs;
    while (ended === undefined && performance.now() < deadline) {
      const postmaster = await readPostmaster(options.dataFolder);
      if (postmaster?.ready && postmaster.pid === child.pid) return postmaster;
      await delay(pollMs);
    }
    if (ended === undefined) child.kill('SIGQUIT');
    throw new TocsinError(
      'EMBEDDED_POSTGRES_START_FAILED',
      `The embedded PostgreSQL in ${options.dataFolder} did not start: ${ended ?? `no answer within ${startTimeoutMs / 1000} s`}. Its log:\n${await tail(options.logFile)}`,
    );
  } finally {
    await log.close();
  }
}

/** Stops a server and waits until it is gone. After 30 s without effect it is stopped the hard way. Nothing happens if it is gone. */
export async function stopServer(dataFolder: string, mode: StopMode): Promise<void> {
  // SIGINT is "fast", SIGQUIT "immediate": https://www.postgresql.org/docs/current/server-shutdown.html
  for (const signal of mode === 'fast' ? (['SIGINT', 'SIGQUIT'] as const) : (['SIGQUIT', 'SIGKILL'] as const)) {
    const postmaster = await readPostmaster(dataFolder);
    if (postmaster === undefined || !(await isRunning(postmaster, dataFolder))) return;
    process.kill(postmaster.pid, signal);
    const deadline = performance.now() + stopTimeoutMs;
    while (performance.now() < deadline) {
      // The file goes last in a stop in good order; a process that nobody waits for may stay a zombie after that.
      const left = await readPostmaster(dataFolder);
      if (left?.pid !== postmaster.pid || !(await isRunning(postmaster, dataFolder))) return;
      await delay(pollMs);
    }
  }
}

/**
 * Removes the postmaster.pid of a killed server if another process has got its id, because the server would take that
 * process for itself and refuse to start. If the id is free the file stays: the server then checks by it that no
 * process of the killed one is left on the data.
 */
export async function forgetMistakenServer(dataFolder: string, postmaster: Postmaster): Promise<void> {
  if (processExists(postmaster.pid)) await rm(join(dataFolder, 'postmaster.pid'), { force: true });
}

/** The preferred port if it is free on 127.0.0.1, else any free one. */
export async function freePort(preferred: number | undefined): Promise<number> {
  const port = preferred === undefined ? undefined : await tryListen(preferred);
  const found = port ?? (await tryListen(0));
  if (found !== undefined) return found;
  throw new TocsinError(
    'EMBEDDED_POSTGRES_START_FAILED',
    'No free port was found on 127.0.0.1 for the embedded PostgreSQL.',
  );
}

async function tryListen(port: number): Promise<number | undefined> {
  const { promise, resolve } = Promise.withResolvers<number | undefined>();
  const server = createServer();
  server.once('error', () => resolve(undefined));
  server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
    const address = server.address();
    server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined));
  });
  return promise;
}

/** Without the PG… variables of the shell, which would change what the programs do, and with messages in English. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('PG') && !name.startsWith('LC_'));
  return { ...Object.fromEntries(inherited), LC_ALL: 'C', TZ: 'UTC' };
}

async function tail(file: string): Promise<string> {
  return (await readFile(file, 'utf8').catch(() => '')).slice(-logTailMax).trim();
}
