import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { processIdentity } from './process-identity.ts';

type Owner = { readonly pid: number; readonly identity: string };

/** Takeovers of stale files in a row; more than one only happens when several processes start at the same moment. */
const takeoversMax = 10;

/**
 * Makes this process the owner of what `file` stands for, until `release` or the end of the process, however it ends:
 * a file whose process is gone counts for nothing. Returns the owner's process id instead if another process has it.
 */
export async function claimOwnership(
  file: string,
): Promise<{ readonly ownedBy: number } | { readonly release: () => Promise<void> }> {
  const owner: Owner = { pid: process.pid, identity: (await processIdentity(process.pid)) ?? '' };
  const mine = `${file}.${process.pid}`;
  await writeFile(mine, JSON.stringify(owner), { mode: 0o600 });
  try {
    for (let takeover = 0; takeover < takeoversMax; takeover += 1) {
      if (await linked(mine, file)) return { release: () => rm(file, { force: true }) };
      const held = await readOwner(file);
      if (held !== undefined && (await processIdentity(held.pid)) === held.identity) return { ownedBy: held.pid };
      // Moved away first, because a rename succeeds for one of several processes that found the same stale file.
      await rename(file, `${mine}.stale`).catch(() => undefined);
      await rm(`${mine}.stale`, { force: true });
    }
    throw new Error(`${file} was taken by others ${takeoversMax} times in a row.`);
  } finally {
    await rm(mine, { force: true });
  }
}

async function linked(existing: string, file: string): Promise<boolean> {
  try {
    await link(existing, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function readOwner(file: string): Promise<Owner | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Owner;
  } catch {
    return undefined;
  }
}
