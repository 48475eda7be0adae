import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { peakMemoryBytes } from '../measure/memory.ts';

/** A running process of the product. */
export interface Worker {
  readonly pid: number;
  /** Most memory it has had so far, in bytes. */
  readonly peakMemoryBytes: () => number;
  /** @throws Error with the place of its log when it has ended, which no worker does by itself */
  readonly assertRunning: () => void;
  /** Asks it to stop and waits until it has. */
  readonly stop: () => Promise<void>;
}

export interface WorkerOptions {
  readonly env: Readonly<Record<string, string>>;
  /** Working directory; the log goes there as `NAME.log`. */
  readonly directory: string;
  /** Options of Node itself, such as `--cpu-prof`. */
  readonly nodeOptions: readonly string[];
}

const repository = resolve(import.meta.dirname, '../../..');

/** Program of one of the product's processes, as `npm run build` makes it. */
export const programOf = (app: 'cli' | 'detector' | 'notifier'): string =>
  resolve(repository, 'apps', app, 'dist/main.js');

/** Starts a worker as production does: built code, NODE_ENV=production, this environment and no other, log to a file. */
export const startWorker = async (
  app: 'detector' | 'notifier',
  { env, directory, nodeOptions }: WorkerOptions,
): Promise<Worker> => {
  const logFile = resolve(directory, `${app}.log`);
  const log = await open(logFile, 'a');
  const child = spawn(process.execPath, [...nodeOptions, programOf(app)], {
    cwd: directory,
    env: { PATH: process.env['PATH'] ?? '', NODE_ENV: 'production', ...env },
    stdio: ['ignore', log.fd, log.fd],
  });
  await log.close();
  const { pid } = child;
  if (pid === undefined) throw new Error(`${programOf(app)} could not be started; run "npm run build".`);
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  return {
    pid,
    peakMemoryBytes: () => peakMemoryBytes(pid),
    assertRunning: () => {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`The ${app} ended with ${child.exitCode ?? child.signalCode}; see ${logFile}.`);
    },
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
};
