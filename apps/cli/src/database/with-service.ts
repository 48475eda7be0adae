import { alertModelVersion, evolveAlert } from '@tocsin/alert-model';
import { parseTask, toPolicy } from '@tocsin/alert-service';
import type { ServiceContext, TocsinPayloads } from '@tocsin/alert-service';
import { createPostgresStore } from '@tocsin/event-store';
import { createQueue } from '@tocsin/queue';
import { createLogger } from '@tocsin/runtime';
import type { Terminal } from '../terminal.ts';
import type { OpenDatabase } from './with-database.ts';

/** What a command needs of the service. */
export type CommandContext = Pick<ServiceContext, 'store' | 'queue' | 'log' | 'policy'>;

/** Runs work with the service that decides about alerts, its warnings on the terminal, and lets go of it. */
export const withService = async <Result>(
  { pool, connectionString, config }: Pick<OpenDatabase, 'pool' | 'connectionString' | 'config'>,
  terminal: Terminal,
  work: (context: CommandContext) => Promise<Result>,
): Promise<Result> => {
  const log = createLogger({ level: 'warn', name: 'tocsin', destination: { write: terminal.complain } });
  const queue = createQueue<TocsinPayloads>({
    connectionString,
    applicationName: 'tocsin-cli-queue',
    // Jobs are only added here, so nothing has to be listened for.
    listen: false,
    parse: parseTask,
    onUnreadable: () => {},
    onError: () => {},
  });
  await queue.start();
  try {
    return await work({
      store: createPostgresStore({ pool, foldAlert: evolveAlert, modelVersion: alertModelVersion }),
      queue,
      log,
      policy: toPolicy(config),
    });
  } finally {
    await queue.stop();
  }
};
