import { alertModelVersion, evolveAlert } from '@tocsin/alert-model';
import type { AlertId } from '@tocsin/alert-model';
import { acknowledge, toPolicy } from '@tocsin/alert-service';
import type { CommandResult, LeaseRequest, TocsinPayloads } from '@tocsin/alert-service';
import { createPostgresStore } from '@tocsin/event-store';
import { createQueue } from '@tocsin/queue';
import { createLogger, loadConfig } from '@tocsin/runtime';
import type { Pool } from '@tocsin/runtime';

/** Of defaults: that somebody takes an alert is decided by the alert alone. */
const policy = toPolicy(loadConfig({ env: {}, cwd: import.meta.dirname }));

/** What the command line does for `tocsin alerts ack`. */
export const acknowledgeAs = async (
  { connectionString, pool }: { readonly connectionString: string; readonly pool: Pool },
  alertId: AlertId,
  by: string,
  lease: LeaseRequest,
): Promise<CommandResult> => {
  const log = createLogger({ level: 'silent', name: 'cli' });
  const queue = createQueue<TocsinPayloads>({
    connectionString,
    listen: false,
    parse: { signals: never, timers: never, deliveries: never },
    onUnreadable: () => {},
    onError: (error) => log.warn({ err: error }, 'queue'),
  });
  await queue.start();
  try {
    const store = createPostgresStore({ pool, foldAlert: evolveAlert, modelVersion: alertModelVersion });
    return await acknowledge({ store, queue, log, policy }, alertId, { by, via: 'cli', lease, note: null });
  } finally {
    await queue.stop();
  }
};

const never = (): never => {
  throw new Error('Nothing is fetched from this queue.');
};
