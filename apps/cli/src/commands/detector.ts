import { runDetector } from '@tocsin/detector';
import { configSecrets, databaseErrorKind, toDatabaseError } from '@tocsin/runtime';
import { findDatabase, withConnection } from '../database/find-database.ts';
import { readConfig } from '../database/read-config.ts';
import type { Invocation } from '../terminal.ts';
import { processLog, runProcess } from './run-process.ts';

/** `tocsin detector`: ends the process itself. */
export const detector = async (invocation: Invocation, options: { readonly once?: boolean }): Promise<never> => {
  const found = await findDatabase(readConfig(invocation));
  const config = withConnection(readConfig(invocation), found.connectionString);
  const log = processLog(config, 'detector', configSecrets(config));
  return runProcess(invocation.terminal, log, async () => {
    try {
      const running = await runDetector(config, log, { once: options.once === true });
      log.info(
        { tables: config.jobs.map(({ table }) => table) },
        options.once === true ? 'detector runs once' : 'detector is up',
      );
      return running;
    } catch (error) {
      throw databaseErrorKind(error) === undefined
        ? error
        : toDatabaseError(error, found.connectionString, found.variable);
    }
  });
};
