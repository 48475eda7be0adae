import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, chmod, chown, cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPool } from '@tocsin/runtime';
import { afterAll, vi } from 'vitest';

/** uid and gid of `nobody`, which the server runs as when this process is root. */
const nobody = 65_534;
const startTimeoutMs = 30_000;

/**
 * Starts a read replica of an embedded server, from a base backup taken while that runs, and returns its address; call
 * it at the top of the file. It is stopped and removed when the file is done. The steps are those of
 * https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-LOWLEVEL-BASE-BACKUP.
 *
 * @param primaryUrl a superuser's address of the server, such as `startRestartableServer` returns
 */
export async function startStandby(primaryUrl: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-standby-'));
  const data = join(folder, 'data');
  const bin = await copyRunning(primaryUrl, data);
  await writeFile(join(data, 'standby.signal'), '');
  await appendFile(join(data, 'postgresql.auto.conf'), `primary_conninfo = '${connectionInfo(primaryUrl)}'\n`);
  await giveToServer(folder);

  const url = new URL(primaryUrl);
  url.port = String(await freePort());
  const settings = { port: url.port, listen_addresses: '127.0.0.1', unix_socket_directories: '', fsync: 'off' };
  const account = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};
  const child = spawn(
    join(bin, 'postgres'),
    ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    { cwd: data, env: { LC_ALL: 'C', TZ: 'UTC' }, detached: true, stdio: 'ignore', ...account },
  );
  afterAll(async () => {
    const exited = once(child, 'exit');
    if (child.exitCode === null && child.kill('SIGQUIT')) await exited;
    await rm(folder, { recursive: true, force: true });
  });
  await vi.waitUntil(() => answers(url.href), { timeout: startTimeoutMs, interval: 50 });
  return url.href;
}

/** Copies the data folder of a running server; answers where its programs are. */
async function copyRunning(primaryUrl: string, target: string): Promise<string> {
  const pool = createPool({ connectionString: primaryUrl, max: 1, applicationName: 'backup', onError: () => {} });
  try {
    // A backup belongs to its session.
    const client = await pool.connect();
    const { rows } = await client.query(
      `select
         current_setting('data_directory') as data,
         (select setting from pg_config where name = 'BINDIR') as bin,
         pg_backup_start('tocsin test', fast => true)`,
    );
    const { data, bin } = rows[0] as { readonly data: string; readonly bin: string };
    await cp(data, target, { recursive: true, filter: (path) => !path.endsWith('postmaster.pid') });
    const stopped = await client.query('select labelfile from pg_backup_stop(wait_for_archive => false)');
    await writeFile(join(target, 'backup_label'), String(stopped.rows[0]?.['labelfile']));
    client.release();
    return bin;
  } finally {
    await pool.end();
  }
}

/** As libpq reads it; what was written since the copy comes over this connection. */
function connectionInfo(primaryUrl: string): string {
  const { hostname, port, username, password } = new URL(primaryUrl);
  return `host=${hostname} port=${port} user=${username} password=${password}`;
}

/** Gives the copy to the account the server runs as; it refuses a data folder that others may read. */
async function giveToServer(folder: string): Promise<void> {
  await chmod(join(folder, 'data'), 0o700);
  if (process.getuid?.() !== 0) return;
  await chown(folder, nobody, nobody);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    await chown(join(entry.parentPath, entry.name), nobody, nobody);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function answers(connectionString: string): Promise<boolean> {
  const pool = createPool({ connectionString, max: 1, applicationName: 'tocsin test set-up', onError: () => {} });
  try {
    await pool.query('select 1');
    return true;
  } catch {
    return false;
  } finally {
    await pool.end();
  }
}
