import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/**
 * Starts a worker process, waits until it says that it works on a job, and kills it with SIGKILL: what an out-of-memory
 * killer or a lost host does.
 *
 * @param file of this folder, run with the arguments
 * @returns the first line it wrote
 */
export const killWorkerInJob = async (file: string, args: readonly string[]): Promise<string> => {
  const child: ChildProcess = spawn(process.execPath, [fileURLToPath(new URL(file, import.meta.url)), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    if (child.stdout === null) throw new Error('no stdout');
    const ended = once(child, 'exit').then(([code, signal]) => {
      throw new Error(`The worker ended before it had a job: ${code ?? signal}`);
    });
    const [line] = (await Promise.race([once(child.stdout, 'data'), ended])) as [Buffer];
    ended.catch(() => {});
    return line.toString().trim();
  } finally {
    const gone = once(child, 'exit');
    if (child.kill('SIGKILL')) await gone;
  }
};
