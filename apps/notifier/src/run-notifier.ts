import { TocsinError } from '@tocsin/runtime';
import type { Config, Logger, Stoppable } from '@tocsin/runtime';
import { openNotifier } from './open-notifier.ts';

/**
 * The notifier as a process: started, or with `once` one run over all that is due, whose end is `finished`.
 *
 * @throws TocsinError when no database is configured, and what `openNotifier` throws
 */
export const runNotifier = async (
  config: Config,
  log: Logger,
  { once = false }: { readonly once?: boolean } = {},
): Promise<Stoppable> => {
  if (config.databaseUrl === undefined)
    throw new TocsinError(
      'DATABASE_URL_MISSING',
      "DATABASE_URL is not set: the notifier keeps alerts and messages in Tocsin's own database. Set it.",
    );
  const notifier = await openNotifier({ config, connectionString: config.databaseUrl, log });
  if (once) {
    const finished = notifier.runOnce().then((jobs) => log.info({ jobs }, 'all that was due is done'));
    return { stop: notifier.stop, finished };
  }
  try {
    await notifier.start();
  } catch (error) {
    await notifier.stop();
    throw error;
  }
  log.info('notifier is up');
  return notifier;
};
