import { createLogger, runUntilStopped } from '@tocsin/runtime';
import type { Config, Logger, Stoppable } from '@tocsin/runtime';
import { describeError } from '../describe-error.ts';
import { reportError } from '../report-error.ts';
import type { Terminal } from '../terminal.ts';

/** Longest time an orderly stop may take: a message under way, then the embedded server. */
const stopTimeoutMs = 30_000;

/**
 * Runs a part of the product until it is stopped, and then ends the process: by a signal, by the end of a single run
 * (`finished`), or, when it was started with an IPC channel, because the process that started it is gone.
 *
 * An expected failure (no database, wrong schema) is said once on standard error, without a stack, and ends the process with its exit
 * code; anything else is logged as fatal with all that is known.
 */
export const runProcess = async (
  terminal: Terminal,
  log: Logger,
  start: (signal: AbortSignal) => Promise<Stoppable>,
): Promise<never> => {
  if (process.send !== undefined) process.once('disconnect', () => process.emit('SIGTERM', 'SIGTERM'));
  // A closed terminal would end the process with the embedded server still running.
  process.once('SIGHUP', () => process.emit('SIGTERM', 'SIGTERM'));
  const orReport = async (error: unknown, signal: AbortSignal): Promise<never> => {
    if (signal.aborted || !describeError(error).expected) throw error;
    return process.exit(await reportError(error, terminal));
  };
  return runUntilStopped({
    log,
    stopTimeoutMs,
    start: async (signal) => {
      try {
        const running = await start(signal);
        const finished = running.finished?.catch((error: unknown) => orReport(error, signal));
        return finished === undefined ? running : { stop: running.stop, finished };
      } catch (error) {
        return orReport(error, signal);
      }
    },
  });
};

/** The log of a process: JSON lines on standard output. */
export const processLog = (config: Config, name: string, secretValues: readonly string[]): Logger =>
  createLogger({ level: config.logLevel, name, secretValues });
