import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

/** What is kept of the output in memory. */
const linesMax = 200;
const tailLinesMax = 15;
const stopMs = 15_000;

/** A program of the example, running as a process of its own. */
export interface ChildProgram {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** How it ended, in words: "exit code 1", "SIGKILL". */
  readonly ended: Promise<string>;
  /** The last lines it wrote, at most 15. */
  readonly tail: () => readonly string[];
  /** The first line, written so far or later, that `find` recognises. Undefined when the program ends before. */
  readonly firstLine: <T>(find: (line: string) => T | undefined) => Promise<T | undefined>;
  /** SIGTERM, and SIGKILL if it is still there 15 s later. */
  readonly stop: () => Promise<void>;
  /** SIGKILL. */
  readonly kill: () => void;
}

/** Starts a Node program; what it writes is appended to its log file. */
export async function startChildProgram(options: {
  readonly name: string;
  readonly script: string;
  readonly args?: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly logFile: string;
}): Promise<ChildProgram> {
  const child = spawn(process.execPath, [options.script, ...(options.args ?? [])], {
    cwd: options.cwd,
    env: options.env,
    // The IPC channel is never written to: its end tells the program that this process is gone, even by SIGKILL.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // A group of its own: Ctrl-C reaches this process alone, which then stops the programs in the right order.
    detached: process.platform !== 'win32',
  });
  const log = createWriteStream(options.logFile, { flags: 'a', mode: 0o600 });
  const listeners = new Set<(line: string) => void>();
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      log.write(`${line}\n`);
      lines.push(line);
      if (lines.length > linesMax) lines.shift();
      for (const listener of listeners) listener(line);
    });
  }
  await once(child, 'spawn');
  const ended = once(child, 'close').then(([code, signal]: unknown[]) => {
    log.end();
    return typeof signal === 'string' ? signal : `exit code ${String(code)}`;
  });
  return {
    name: options.name,
    pid: child.pid ?? 0,
    logFile: options.logFile,
    ended,
    tail: () => lines.slice(-tailLinesMax),
    firstLine: async (find) => {
      const known = lines.map(find).find((found) => found !== undefined);
      if (known !== undefined) return known;
      const { promise, resolve } = Promise.withResolvers<ReturnType<typeof find>>();
      const listener = (line: string): void => {
        const found = find(line);
        if (found !== undefined) resolve(found);
      };
      listeners.add(listener);
      const first = await Promise.race([promise, ended.then(() => undefined)]);
      listeners.delete(listener);
      return first;
    },
    stop: async () => {
      child.kill('SIGTERM');
      const gaveUp = new AbortController();
      await Promise.race([
        ended,
        delay(stopMs, undefined, { signal: gaveUp.signal }).then(() => child.kill('SIGKILL')),
      ]);
      gaveUp.abort();
      await ended;
    },
    kill: () => void child.kill('SIGKILL'),
  };
}
