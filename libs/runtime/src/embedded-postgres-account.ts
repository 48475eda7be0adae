import { chmod, chown, mkdir, realpath, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { TocsinError } from './errors.ts';

/** uid and gid of `nobody` on Debian and most others; PostgreSQL refuses to run as root, and this needs no new account. */
const nobody = { uid: 65_534, gid: 65_534 } as const;

/** The account the server runs as: `nobody` if this process is root, `undefined` (this process's own) otherwise. */
export function serverAccount(): { readonly uid: number; readonly gid: number } | undefined {
  return process.getuid?.() === 0 ? nobody : undefined;
}

/** Gives a file or folder to the account the server runs as, closed to others. */
export async function giveToServer(path: string, mode: number): Promise<void> {
  const account = serverAccount();
  if (account !== undefined) await chown(path, account.uid, account.gid);
  await chmod(path, mode);
}

/** Whether the account the server runs as may enter every folder above `path` and read `path` itself. */
export async function reachableByServer(path: string): Promise<boolean> {
  if (serverAccount() === undefined) return true;
  const real = await realpath(path);
  const found = await stat(real);
  const wanted = found.isDirectory() ? 0o001 : 0o005;
  if ((found.mode & wanted) !== wanted) return false;
  for (let folder = dirname(real); ; folder = dirname(folder)) {
    if (((await stat(folder)).mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

/**
 * A folder of root's that `nobody` can reach, for what cannot lie in the checkout: /var/lib/tocsin, or if that cannot
 * be made, one below the folder for temporary files.
 */
export async function ensureStateFolder(): Promise<string> {
  for (const folder of ['/var/lib/tocsin', join(tmpdir(), 'tocsin-state')]) {
    try {
      await mkdir(folder, { recursive: true });
      const found = await stat(folder);
      if (found.uid !== process.getuid?.()) continue;
      await chmod(folder, 0o755);
      if (await reachableByServer(folder)) return folder;
    } catch {
      // Read-only system folder: the next one.
    }
  }
  throw new TocsinError(
    'EMBEDDED_POSTGRES_UNREACHABLE',
    'The embedded PostgreSQL may not run as root, and no folder was found that its account (nobody) can reach: neither /var/lib/tocsin nor the folder for temporary files can be used. Run as another user, or set DATABASE_URL.',
  );
}
