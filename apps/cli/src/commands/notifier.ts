import { openNotifier } from '@tocsin/notifier';
import { configSecrets, databaseErrorKind, toDatabaseError } from '@tocsin/runtime';
import { findDatabase, withConnection } from '../database/find-database.ts';
import { readConfig } from '../database/read-config.ts';
import type { Invocation } from '../terminal.ts';
import { processLog, runProcess } from './run-process.ts';

/** `tocsin notifier`: ends the process itself. */
export const notifier = async (invocation: Invocation, options: { readonly once?: boolean }): Promise<never> => {
  const found = await findDatabase(readConfig(invocation));
  const config = withConnection(readConfig(invocation), found.connectionString);
  const log = processLog(config, 'notifier', configSecrets(config));
  const explain = (error: unknown): unknown =>
    databaseErrorKind(error) === undefined ? error : toDatabaseError(error, found.connectionString, found.variable);
  return runProcess(invocation.terminal, log, async () => {
    try {
      const opened = await openNotifier({ config, connectionString: found.connectionString, log });
      if (options.once === true) {
        const run = async (): Promise<void> => {
          const jobs = await opened.runOnce();
          log.info({ jobs }, 'all that was due is done');
        };
        return {
          stop: opened.stop,
          finished: run().catch((error: unknown) => {
            throw explain(error);
          }),
        };
      }
      await opened.start();
      log.info('notifier is up');
      return opened;
    } catch (error) {
      throw explain(error);
    }
  });
};
