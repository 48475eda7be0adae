import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, mkdir, mkdtemp, readFile, readlink, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensureStateFolder, giveToServer, reachableByServer, serverAccount } from './embedded-postgres-account.ts';
import type { PostgresBinaries } from './embedded-postgres-binaries.ts';
import { serverEnvironment } from './embedded-postgres-server.ts';
import { TocsinError } from './errors.ts';

/**
 * The superuser of the embedded server. Not called tocsin: Postgres looks for unqualified names in the schema named
 * like the user first, so that user's own tables would go to the product's schema.
 */
export const embeddedUser = 'postgres';

const initdbTimeoutMs = 120_000;
const passwordBytes = 24;

/** A data folder (its real path) and the password of its superuser. */
export type Cluster = { readonly dataFolder: string; readonly password: string };

/** The cluster below `directory` if one was made there, without changing anything. */
export async function findCluster(directory: string): Promise<Cluster | undefined> {
  const entry = join(directory, 'postgres');
  const dataFolder = await realpath(entry).catch(() => undefined);
  const target = dataFolder === undefined ? await readlink(entry).catch(() => undefined) : undefined;
  if (target !== undefined) {
    throw new TocsinError(
      'EMBEDDED_POSTGRES_DATA_LOST',
      `The data of the embedded PostgreSQL in ${directory} is gone: ${entry} points to ${target}, which does not exist. Restore that folder, or remove ${directory} to begin anew without its data.`,
    );
  }
  if (dataFolder === undefined || !(await exists(join(dataFolder, 'PG_VERSION')))) return undefined;
  const password = await readFile(passwordFile(directory), 'utf8').catch(() => undefined);
  if (password === undefined) {
    throw new TocsinError(
      'EMBEDDED_POSTGRES_PASSWORD_LOST',
      `${passwordFile(directory)} cannot be read, so the database beside it cannot be opened. Restore the file, or remove ${directory} to begin anew without its data.`,
    );
  }
  return { dataFolder, password };
}

/**
 * Makes a new database cluster at `directory`/postgres with a generated password, kept in `directory`/postgres-password
 * for its owner only. The folder appears under its name when it is complete, so a kill half way leaves nothing that
 * looks like a database. Where the server's account cannot enter `directory` (a checkout below /root), the data goes to
 * a folder of its own below /var/lib/tocsin and `directory`/postgres is a link to it.
 */
export async function createCluster(directory: string, binaries: PostgresBinaries, durable: boolean): Promise<Cluster> {
  const reachable = await reachableByServer(directory);
  const parent = reachable ? directory : await ensureStateFolder();
  const unfinished = await mkdtemp(join(parent, 'postgres-new-'));
  const password = randomBytes(passwordBytes).toString('base64url');
  try {
    await giveToServer(unfinished, 0o700);
    await initdb(unfinished, binaries, password, durable);
    await writeFile(passwordFile(directory), password, { mode: 0o600 });
    if (reachable) {
      await rename(unfinished, join(directory, 'postgres'));
    } else {
      const dataFolder = unfinished.replace('postgres-new-', 'postgres-');
      await rename(unfinished, dataFolder);
      await symlink(dataFolder, join(directory, 'postgres'));
    }
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
  return { dataFolder: await realpath(join(directory, 'postgres')), password };
}

/** Deletes the data folder of this one cluster, which must be stopped, and what belongs to it in `directory`. */
export async function removeCluster(directory: string, cluster: Cluster): Promise<void> {
  // A process of the server may write its last files while they are deleted: tried again for some seconds.
  await rm(cluster.dataFolder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  for (const name of ['postgres', 'postgres-password', 'postgres-port', 'postgres.log']) {
    await rm(join(directory, name), { recursive: true, force: true });
  }
}

async function initdb(
  dataFolder: string,
  binaries: PostgresBinaries,
  password: string,
  durable: boolean,
): Promise<void> {
  // Beside the data and not inside, because initdb wants an empty folder.
  const passwordFolder = `${dataFolder}-secret`;
  await mkdir(passwordFolder);
  try {
    const file = join(passwordFolder, 'password');
    await writeFile(file, password, { mode: 0o600 });
    await giveToServer(file, 0o600);
    await giveToServer(passwordFolder, 0o700);
    await promisify(execFile)(
      binaries.initdb,
      [
        `--pgdata=${dataFolder}`,
        `--username=${embeddedUser}`,
        `--pwfile=${file}`,
        '--auth=scram-sha-256',
        // Without these the shell's LANG decides, and LANG=C makes a database that takes any bytes for text.
        '--encoding=UTF8',
        '--locale=C',
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        '--no-instructions',
        ...(durable ? [] : ['--no-sync']),
      ],
      { cwd: dataFolder, env: serverEnvironment(), timeout: initdbTimeoutMs, windowsHide: true, ...serverAccount() },
    );
  } catch (error) {
    const stderr: unknown = error instanceof Error ? Reflect.get(error, 'stderr') : undefined;
    throw new TocsinError(
      'EMBEDDED_POSTGRES_INITDB_FAILED',
      `The embedded PostgreSQL could not make its database in ${dataFolder}: ${(typeof stderr === 'string' && stderr.trim()) || String(error)}. Check free space and rights, or set DATABASE_URL to a PostgreSQL of your own.`,
      { cause: error },
    );
  } finally {
    await rm(passwordFolder, { recursive: true, force: true });
  }
}

function passwordFile(directory: string): string {
  return join(directory, 'postgres-password');
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
