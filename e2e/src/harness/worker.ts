import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { waitDefaultMs, waitUntil } from './wait-until.ts';

/** The processes under test. */
export type App = 'detector' | 'notifier' | 'cli';

/** SIGSTOP puts a process to sleep wherever it is, SIGCONT wakes it up. */
export type Signal = 'SIGTERM' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT';

/** One line of a worker's log, parsed. */
export type LogEntry = Readonly<Record<string, unknown>>;

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A running process of the product. */
export interface Worker {
  readonly app: App;
  readonly pid: number;
  /** Entries logged so far. */
  readonly log: () => readonly LogEntry[];
  /** Everything written to standard output and standard error so far. */
  readonly output: () => string;
  /** Lines on standard error, where nothing is written in ordinary times. */
  readonly errors: () => readonly string[];
  readonly running: () => boolean;
  /** Settles when the process has ended and all its output is read. */
  readonly exited: Promise<Exit>;
  /** Waits for the process to end by itself. */
  readonly waitForExit: (timeoutMs?: number) => Promise<Exit>;
  /** Waits until an entry matches, of those after the first `skip`. */
  readonly waitForLog: (what: string, matches: (entry: LogEntry) => boolean, skip?: number) => Promise<LogEntry>;
  /** Sends a signal; does nothing when the process is gone. */
  readonly signal: (name: Signal) => void;
  /** Kills it as a power cut would and waits until it is gone. */
  readonly kill: () => Promise<Exit>;
  /** Asks it to stop and waits until it has. */
  readonly stop: () => Promise<Exit>;
}

export interface WorkerOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
}

const repository = resolve(import.meta.dirname, '../../..');

/** Starts one of the product's processes from what `npm run build` has made, with this environment and no other. */
export const startWorker = (app: App, { cwd, env, args = [] }: WorkerOptions): Worker => {
  const main = resolve(repository, 'apps', app, 'dist/main.js');
  const child = spawn(process.execPath, [main, ...args], {
    cwd,
    env: { PATH: process.env['PATH'] ?? '', NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${main} could not be started with ${process.execPath}.`);
  const entries: LogEntry[] = [];
  const out = createLines((line) => {
    const entry = parseEntry(line);
    if (entry !== null) entries.push(entry);
  });
  const err = createLines(() => {});
  child.stdout.setEncoding('utf8').on('data', out.add);
  child.stderr.setEncoding('utf8').on('data', err.add);
  let exit: Exit | undefined;
  const exited = new Promise<Exit>((done) => {
    child.once('close', (code, signal) => {
      exit = { code, signal };
      done(exit);
    });
  });
  const log = (): readonly LogEntry[] => entries;
  const output = (): string => [...out.lines(), ...err.lines()].join('\n');
  const waitForExit = (timeoutMs = waitDefaultMs): Promise<Exit> =>
    waitUntil(`the ${app} (process ${pid}) to end`, () => exit, { timeoutMs, describe: () => tail(output()) });
  const signal = (name: Signal): void => {
    if (exit === undefined) child.kill(name);
  };
  return {
    app,
    pid,
    log,
    output,
    errors: err.lines,
    running: () => exit === undefined,
    exited,
    waitForExit,
    waitForLog: (what, matches, skip = 0) =>
      waitUntil(
        `the ${app} to log ${what}`,
        () => {
          const found = entries.find((entry, index) => index >= skip && matches(entry));
          if (found === undefined && exit !== undefined)
            throw new Error(`The ${app} ended (${JSON.stringify(exit)}) before it logged ${what}:\n${tail(output())}`);
          return found;
        },
        { describe: () => tail(output()) },
      ),
    signal,
    kill: () => {
      signal('SIGKILL');
      return waitForExit();
    },
    stop: () => {
      signal('SIGTERM');
      return waitForExit();
    },
  };
};

const tailLinesMax = 20;

/** The last lines of a text, for messages about what went wrong. */
export const tail = (text: string): string => text.split('\n').slice(-tailLinesMax).join('\n');

/** Puts chunks of a stream together to lines. */
const createLines = (onLine: (line: string) => void) => {
  const lines: string[] = [];
  let rest = '';
  return {
    add: (chunk: string): void => {
      const pieces = (rest + chunk).split('\n');
      rest = pieces.pop() ?? '';
      for (const line of pieces) {
        lines.push(line);
        onLine(line);
      }
    },
    lines: (): readonly string[] => (rest === '' ? [...lines] : [...lines, rest]),
  };
};

/** The console channel writes plain text between the log's lines; that is none of the log. */
const parseEntry = (line: string): LogEntry | null => {
  if (!line.startsWith('{')) return null;
  try {
    return JSON.parse(line) as LogEntry;
  } catch {
    return null;
  }
};
