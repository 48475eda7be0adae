import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const psTimeoutMs = 5_000;

/** Whether a process with this id exists, no matter whose it is. */
export function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * The moment the process started, as an opaque text that differs when another process has got the same id (which is
 * the rule in containers, where every start hands out the same few ids). `undefined` if there is no such process; the
 * id alone where the system does not tell (Windows).
 */
export async function processIdentity(pid: number): Promise<string | undefined> {
  if (!processExists(pid)) return undefined;
  if (process.platform === 'linux') {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
    // Field 22 of proc(5), counted after the command name, which is in parentheses and may hold spaces.
    return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  }
  if (process.platform === 'win32') return String(pid);
  const found = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)], { timeout: psTimeoutMs }).catch(
    () => undefined,
  );
  return found?.stdout.trim();
}
