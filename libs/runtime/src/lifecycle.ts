import { ConfigError } from './errors.ts';
import type { Logger } from './log.ts';

/** Something that runs until it is told to stop. */
export type Stoppable = {
  /** Takes no new work, finishes what is claimed or hands it back, and closes what it opened. Called once. */
  readonly stop: () => Promise<void>;
  /** Settles when the work ends by itself (a single run). Left out: it never does. A rejection ends the process with code 1. */
  readonly finished?: Promise<void>;
};

export type RunOptions = {
  /** Starts the work. `signal` is aborted when the process is asked to stop before the start is through. */
  readonly start: (signal: AbortSignal) => Promise<Stoppable>;
  readonly log: Logger;
  /** How long a stop may take before the process ends anyway. Default: 15,000 ms. */
  readonly stopTimeoutMs?: number;
  /** For how long a repetition of the same signal counts as its echo. Default: 500 ms. */
  readonly signalEchoMs?: number;
};

/** Exit codes: 0 stopped as asked, 1 failed, 2 wrong configuration, 128 + signal number when told twice. */
const EXIT_CODES = { stopped: 0, failed: 1, misconfigured: 2, SIGINT: 130, SIGTERM: 143 } as const;

/** Any length does; this is the longest timer there is. */
const KEEP_ALIVE_MS = 2 ** 31 - 1;

/**
 * Runs a process from start to exit, and always ends by `process.exit`:
 * - SIGTERM or SIGINT: `stop()`, bounded by `stopTimeoutMs`; code 0, or 1 if it took too long or failed;
 * - a second signal: at once, code 143 or 130. Ctrl-C under npm arrives twice, from the terminal and from npm, so the same signal within `signalEchoMs` counts as one;
 * - an error nobody handled, or a start that fails: logged as fatal, code 1 (2 for ConfigError). No stop is tried, because nobody knows what state the process is in; everything durable is in the database.
 *
 * The promise never settles; it is there to be awaited at the end of a main module.
 */
export function runUntilStopped({
  start,
  log,
  stopTimeoutMs = 15_000,
  signalEchoMs = 500,
}: RunOptions): Promise<never> {
  const aborted = new AbortController();
  const ended = Promise.withResolvers<never>();
  let first: { readonly name: 'SIGTERM' | 'SIGINT'; readonly atMs: number } | undefined;
  let stopping: Promise<void> | undefined;

  const fail = (error: unknown, message: string): never => {
    log.fatal({ err: error }, message);
    return process.exit(error instanceof ConfigError ? EXIT_CODES.misconfigured : EXIT_CODES.failed);
  };
  process.on('uncaughtException', (error) => fail(error, 'an error was not handled; the process ends'));
  process.on('unhandledRejection', (reason) => fail(reason, 'a rejection was not handled; the process ends'));

  const starting = Promise.resolve().then(() => start(aborted.signal));

  const stop = (reason: string): Promise<void> => {
    stopping ??= (async () => {
      log.info({ reason, stopTimeoutMs }, 'stopping');
      const timer = setTimeout(() => {
        log.error({ stopTimeoutMs }, 'stopping took too long; the process ends with work unfinished');
        process.exit(EXIT_CODES.failed);
      }, stopTimeoutMs);
      aborted.abort(new Error(`stopped by ${reason}`));
      try {
        const running = await starting.catch((error: unknown) => startCutShort(error));
        await running?.stop();
      } catch (error) {
        fail(error, 'stopping failed');
      }
      clearTimeout(timer);
      log.info('stopped');
      process.exit(EXIT_CODES.stopped);
    })();
    return stopping;
  };
  /** A start that was aborted rejects, as it should; anything else is worth a line. */
  const startCutShort = (error: unknown): undefined => {
    if (error !== aborted.signal.reason && !(error instanceof Error && error.name === 'AbortError')) {
      log.warn({ err: error }, 'the start failed while the process was being stopped');
    }
  };

  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      const atMs = performance.now();
      if (first === undefined) {
        first = { name, atMs };
        void stop(name);
      } else if (name !== first.name || atMs - first.atMs >= signalEchoMs) {
        log.warn({ signal: name }, 'stopped at once by a second signal');
        process.exit(EXIT_CODES[name]);
      }
    });
  }

  starting
    .then(({ finished }) => finished?.then(() => stop('the end of its work')))
    .catch((error: unknown) => {
      if (stopping === undefined)
        fail(error, error instanceof ConfigError ? error.message : 'the process could not go on');
    });
  // A process that waits for nothing but a signal would otherwise end by itself.
  setInterval(() => {}, KEEP_ALIVE_MS);
  return ended.promise;
}
