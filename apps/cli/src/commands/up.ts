import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runDetector } from '@tocsin/detector';
import { openNotifier } from '@tocsin/notifier';
import { migrateQueue } from '@tocsin/queue';
import {
  configSecrets,
  createLogger,
  databaseErrorKind,
  maskUrl,
  migrate,
  startEmbeddedPostgres,
  toDatabaseError,
} from '@tocsin/runtime';
import type { Config, Logger, Stoppable } from '@tocsin/runtime';
import { databaseUrlFile, withConnection } from '../database/find-database.ts';
import { readConfig } from '../database/read-config.ts';
import { channelText } from '../printing/channel-text.ts';
import { cleanLine } from '../printing/clean-line.ts';
import type { Invocation, Terminal } from '../terminal.ts';
import { processLog, runProcess } from './run-process.ts';

/** `tocsin up`: everything in one process. Ends the process itself. */
export const up = async (invocation: Invocation): Promise<never> => {
  const config = readConfig(invocation);
  const { terminal } = invocation;
  const log = processLog(config, 'tocsin', configSecrets(config));
  for (const warning of config.warnings) log.warn({ warning }, 'the configuration can be used, but look at this');
  return runProcess(terminal, log, async (signal) => {
    const parts: Stoppable['stop'][] = [];
    // A part that cannot be stopped must not keep those below it running.
    const stop = async (): Promise<void> => {
      const failures: unknown[] = [];
      for (const part of parts.splice(0)) await part().catch((error: unknown) => failures.push(error));
      if (failures.length > 0) throw failures[0];
    };
    try {
      await startParts(config, log, parts, terminal, signal);
    } catch (error) {
      await stop().catch((inner: unknown) =>
        log.warn({ err: inner }, 'what was started could not be stopped in order'),
      );
      throw error;
    }
    return { stop };
  });
};

/** Starts one part after the other; each puts its stop in front of those it needs, so that they stop in the right order. */
const startParts = async (
  config: Config,
  log: Logger,
  stops: Stoppable['stop'][],
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> => {
  const connectionString = config.databaseUrl ?? (await startDatabase(config, log, stops));
  signal.throwIfAborted();
  const complete = withConnection(config, connectionString);
  const secretValues = configSecrets(complete);
  try {
    const { applied } = await migrate({ connectionString, log: (message) => log.info({ part: 'migrate' }, message) });
    await migrateQueue({ connectionString });
    log.info(
      { applied },
      applied.length === 0 ? 'the database is of this version' : 'the database was brought up to this version',
    );
    signal.throwIfAborted();

    const notifier = await openNotifier({
      config: complete,
      connectionString,
      log: processLog(complete, 'notifier', secretValues),
    });
    stops.unshift(notifier.stop);
    await notifier.start();
    signal.throwIfAborted();
    const detector = await runDetector(complete, processLog(complete, 'detector', secretValues));
    stops.unshift(detector.stop);
  } catch (error) {
    if (databaseErrorKind(error) === undefined) throw error;
    throw toDatabaseError(
      error,
      connectionString,
      config.databaseUrl === undefined ? databaseUrlFile(config) : 'DATABASE_URL',
    );
  }
  announce(complete, connectionString, terminal);
};

const startDatabase = async (config: Config, log: Logger, stops: Stoppable['stop'][]): Promise<string> => {
  await mkdir(config.stateDirectory, { recursive: true });
  // The folder holds a password and mails, and lies in somebody's repository.
  await writeFile(join(config.stateDirectory, '.gitignore'), '*\n', { flag: 'wx' }).catch(ignoreExisting);
  const server = await startEmbeddedPostgres({ directory: config.stateDirectory, durable: true });
  stops.unshift(() => server.stop());
  const file = databaseUrlFile(config);
  await writeFile(`${file}.new`, `${server.connectionString}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
  log.info({ directory: config.stateDirectory, adopted: server.adopted }, 'the embedded database is running');
  return server.connectionString;
};

const ignoreExisting = (error: NodeJS.ErrnoException): void => {
  if (error.code !== 'EEXIST') throw error;
};

/** The line that others wait for is written whatever the log level is, as the last of the start. */
const announce = (config: Config, connectionString: string, terminal: Terminal): void => {
  const facts = {
    database: maskUrl(connectionString),
    routes: config.routes.map(({ name, channels }) => ({ name, channels })),
    channels: Object.entries(config.channels).map(([name, { type }]) => ({ name, type })),
    tables: config.jobs.map(({ name, table }) => ({ name, table })),
  };
  createLogger({ level: 'info', name: 'tocsin' }).info(facts, 'tocsin is up');
  if (!terminal.watched) return;
  const goesTo = [...new Set(config.routes.flatMap(({ channels }) => channels))].map((name) =>
    channelText(name, config.channels[name]),
  );
  terminal.complain(
    [
      '',
      `  Tocsin is up. It watches ${config.jobs.map(({ table }) => cleanLine(table)).join(', ')}.`,
      `  Alerts go to ${goesTo.join('; ')}.`,
      '  In another terminal: npx tocsin alerts list',
      '  Ctrl-C stops everything.',
      '',
      '',
    ].join('\n'),
  );
};
