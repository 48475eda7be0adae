import { configSecrets, createLogger, loadConfig, runUntilStopped, TocsinError } from '@tocsin/runtime';
import { openNotifier } from './open-notifier.ts';

const config = loadConfig({ env: process.env, cwd: process.cwd() });
const log = createLogger({ level: config.logLevel, name: 'notifier', secretValues: configSecrets(config) });

await runUntilStopped({
  log,
  start: async () => {
    if (config.databaseUrl === undefined) throw new TocsinError('NO_DATABASE', 'Set DATABASE_URL to the database that holds Tocsin.');
    const notifier = await openNotifier({ config, connectionString: config.databaseUrl, log });
    await notifier.start();
    log.info('notifier is up');
    return notifier;
  },
});
