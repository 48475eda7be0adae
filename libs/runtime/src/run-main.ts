import type { Config } from './config/config.ts';
import { configSecrets } from './config/describe-config.ts';
import { loadConfig } from './config/load-config.ts';
import { toDatabaseError } from './describe-database-error.ts';
import { ConfigError, TocsinError } from './errors.ts';
import { runUntilStopped } from './lifecycle.ts';
import type { Stoppable } from './lifecycle.ts';
import { createLogger } from './log.ts';
import type { Logger } from './log.ts';
import { databaseErrorKind } from './postgres-errors.ts';

/** What a main module brings: how its process is named and started. */
export type MainOptions = {
  /** Shown in the log and before what the process says on standard error. */
  readonly name: string;
  readonly start: (
    config: Config,
    log: Logger,
    options: {
      /** `--once` was given: do all that is due, then end. */
      readonly once: boolean;
    },
  ) => Promise<Stoppable>;
};

/** Errors that mean: configured wrongly. */
const misconfigured: ReadonlySet<string> = new Set(['DATABASE_URL_INVALID', 'DATABASE_URL_MISSING']);

/**
 * The whole of a main module: reads the configuration, then runs until stopped. What can go wrong at a start in ordinary
 * times (configuration, database, schema) is said once on standard error, without a stack, and ends the process with
 * code 2 when the configuration is to blame, else with 1. Anything else is a bug and logged with its stack.
 */
export async function runMain({ name, start }: MainOptions): Promise<never> {
  const config = orExit(name, () => loadConfig({ env: process.env, cwd: process.cwd() }));
  const log = createLogger({ level: config.logLevel, name, secretValues: configSecrets(config) });
  for (const warning of config.warnings) log.warn(warning);
  const explained = (error: unknown): unknown =>
    databaseErrorKind(error) === undefined || error instanceof TocsinError || config.databaseUrl === undefined
      ? error
      : toDatabaseError(error, config.databaseUrl);
  return runUntilStopped({
    log,
    start: async (signal) => {
      const refuse = (error: unknown): never => {
        if (signal.aborted) throw error;
        return refuseToRun(name, explained(error));
      };
      try {
        const running = await start(config, log, { once: process.argv.includes('--once') });
        return running.finished === undefined
          ? running
          : { stop: running.stop, finished: running.finished.catch(refuse) };
      } catch (error) {
        return refuse(error);
      }
    },
  });
}

function orExit<Result>(name: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    return refuseToRun(name, error);
  }
}

/** Says an expected error and ends the process; throws any other. */
function refuseToRun(name: string, error: unknown): never {
  if (!(error instanceof TocsinError)) throw error;
  process.stderr.write(`${name}: ${error.message}\n`);
  return process.exit(error instanceof ConfigError || misconfigured.has(error.code) ? 2 : 1);
}
