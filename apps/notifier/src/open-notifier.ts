import { hostname } from 'node:os';
import { alertModelVersion, evolveAlert } from '@tocsin/alert-model';
import { defaultSettings, parseTask, toPolicy } from '@tocsin/alert-service';
import type { Sender, ServiceSettings, TocsinPayloads } from '@tocsin/alert-service';
import { createChannel } from '@tocsin/channels';
import type { Channel } from '@tocsin/channels';
import { createPostgresStore } from '@tocsin/event-store';
import { createQueue } from '@tocsin/queue';
import { assertSchemaUnderstood, createPool } from '@tocsin/runtime';
import type { Config, Logger } from '@tocsin/runtime';
import { forgetOldRecords } from './forget-old-records.ts';
import { createNotifier } from './notifier.ts';
import type { Notifier } from './notifier.ts';

/** Connections for transactions; with the queue's three this keeps a worker at six. */
const poolConnectionsMax = 3;

/** What `openNotifier` needs beyond the configuration. */
export interface OpenNotifierOptions {
  readonly config: Config;
  /** Tocsin's own database. */
  readonly connectionString: string;
  readonly log: Logger;
}

/**
 * Connects everything a notifier needs. The caller starts it, or runs it once, and stops it.
 *
 * @throws TocsinError when the database cannot be reached or its schema is not of this version
 */
export const openNotifier = async ({ config, connectionString, log }: OpenNotifierOptions): Promise<Notifier> => {
  const pool = createPool({
    connectionString,
    max: poolConnectionsMax,
    applicationName: 'tocsin-notifier',
    onError: (error) => log.warn({ err: error }, 'an idle database connection was lost and will be replaced'),
  });
  const channels = openChannels(config, log);
  const queue = createQueue<TocsinPayloads>({
    connectionString,
    applicationName: 'tocsin-notifier',
    parse: parseTask,
    onUnreadable: (job, reason) =>
      log.error({ queue: job.queue, jobId: job.id, reason }, 'a job could not be read; it lies in the dead letters'),
    onError: (error, name) =>
      log.warn({ err: error, queue: name }, 'a job failed and will be tried again, or a connection was lost'),
    onWarning: (message, data) => log.warn({ data }, message),
    claimSeconds: config.workers.claimSeconds,
  });
  const close = async (): Promise<void> => {
    await Promise.all([...channels.values()].map((channel) => channel.close()));
    await pool.end();
  };
  try {
    await assertSchemaUnderstood(pool);
    await queue.start();
  } catch (error) {
    await close();
    throw error;
  }
  const notifier = createNotifier({
    queue,
    instance: `${hostname()}:${process.pid}`,
    forget: () => forgetOldRecords(pool, config, log),
    service: {
      store: createPostgresStore({ pool, foldAlert: evolveAlert, modelVersion: alertModelVersion }),
      queue,
      sender: senderOf(channels),
      policy: toPolicy(config),
      log,
      settings: settingsOf(config),
    },
  });
  return {
    ...notifier,
    stop: async () => {
      await notifier.stop();
      await close();
    },
  };
};

/** Longest wait for the record of an attempt that has run out of time, in milliseconds. */
const abandonedMarginMaxMs = 10_000;

const settingsOf = (config: Config): ServiceSettings => {
  const { attemptTimeoutMs, unknownRetryMs } = config.delivery;
  return {
    ...defaultSettings,
    adminUrl: config.adminUrl ?? null,
    publicUrl: config.publicUrl ?? null,
    attemptTimeoutMs,
    abandonedAfterMs: Math.min(abandonedMarginMaxMs, attemptTimeoutMs),
    unknownRetryMs,
  };
};

const openChannels = (config: Config, log: Logger): ReadonlyMap<string, Channel> =>
  new Map(Object.entries(config.channels).map(([name, channel]) => [name, createChannel(name, channel, { log })]));

const senderOf = (channels: ReadonlyMap<string, Channel>): Sender => ({
  send: async (name, outgoing, options) => {
    const channel = channels.get(name);
    if (channel === undefined)
      return {
        outcome: 'rejected',
        reason: 'misconfigured',
        status: null,
        detail: `The channel "${name}" was configured when the alert opened and is not any more. Configure it again, or acknowledge the alert.`,
      };
    return channel.send(outgoing, options);
  },
});
