import { hostname } from 'node:os';
import { join } from 'node:path';
import { alertModelVersion, canaryChannel, evolveAlert } from '@tocsin/alert-model';
import { defaultSettings, parseTask, toPolicy } from '@tocsin/alert-service';
import type { ConfiguredSilence, Sender, ServiceContext, ServiceSettings, TocsinPayloads } from '@tocsin/alert-service';
import { createChannel } from '@tocsin/channels';
import type { Channel } from '@tocsin/channels';
import { createPostgresStore } from '@tocsin/event-store';
import { createQueue } from '@tocsin/queue';
import { assertSchemaUnderstood, createMetrics, createPool } from '@tocsin/runtime';
import type { Config, Logger, WorkerServer } from '@tocsin/runtime';
import { forgetOldRecords } from './forget-old-records.ts';
import { createNotifierMetrics, observerOf, showSelfWatch } from './notifier-metrics.ts';
import { startNotifierServer } from './notifier-server.ts';
import { createNotifier } from './notifier.ts';
import type { Notifier } from './notifier.ts';
import { openCanary } from './self-watch/open-canary.ts';
import type { FetchLike } from './self-watch/ping-deadman.ts';
import { createSelfWatch } from './self-watch/self-watch.ts';
import type { AuditResult } from './self-watch/self-watch.ts';

/** Connections for transactions; with the queue's three this keeps a worker at six. */
const poolConnectionsMax = 3;

/** What `openNotifier` needs beyond the configuration. */
export interface OpenNotifierOptions {
  readonly config: Config;
  /** Tocsin's own database. */
  readonly connectionString: string;
  readonly log: Logger;
  /** Asks the dead-man's switch. Default: the platform's own. */
  readonly fetch?: FetchLike;
  /** Learns of each audit. Default: nobody does. */
  readonly onAudit?: (result: AuditResult) => void;
}

/** A notifier with its connections. */
export interface OpenedNotifier extends Notifier {
  /** Where health, metrics and hooks are; null before `start`, and without a port. */
  readonly address: () => WorkerServer['address'];
}

/**
 * Connects everything a notifier needs. The caller starts it, or runs it once, and stops it.
 *
 * @throws TocsinError when the database cannot be reached or its schema is not of this version
 */
export const openNotifier = async ({
  config,
  connectionString,
  log,
  fetch,
  onAudit,
}: OpenNotifierOptions): Promise<OpenedNotifier> => {
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
  const metrics = createMetrics();
  const counted = createNotifierMetrics(metrics, pool);
  metrics.beforeRead(async () => showSelfWatch(counted, watch.status()));
  const service: ServiceContext = {
    store: createPostgresStore({ pool, foldAlert: evolveAlert, modelVersion: alertModelVersion }),
    queue,
    sender: senderOf(channels),
    policy: toPolicy(config),
    log,
    settings: settingsOf(config),
    observer: observerOf(counted),
  };
  const { auditMs, canaryMs, deadmanUrl } = config.selfWatch;
  const watch = createSelfWatch({
    service,
    deadmanUrl: deadmanUrl ?? null,
    canary: canaryMs === undefined ? null : openCanary(pool, canaryMs),
    ...(fetch === undefined ? {} : { fetch }),
    ...(onAudit === undefined ? {} : { onAudit }),
  });
  const notifier = createNotifier({
    queue,
    instance: `${hostname()}:${process.pid}`,
    forget: () => forgetOldRecords(pool, config, log),
    service,
    silences: config.silences.map(silenceOf),
    selfWatch: { watch, auditMs, canaryMs: canaryMs ?? null },
  });
  let server: WorkerServer | null = null;
  return {
    ...notifier,
    address: () => server?.address ?? null,
    start: async () => {
      server = await startNotifierServer({ config, service, notifier, pool, metrics, counted });
      await notifier.start();
      // The first message must not spend its time on loading libraries. One that is missing is told when it is used.
      for (const name of new Set(config.routes.flatMap((route) => route.channels)))
        await channels
          .get(name)
          ?.warmUp?.()
          .catch(() => {});
    },
    stop: async () => {
      await server?.stop();
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
    rateLimits: Object.fromEntries(
      Object.entries(config.channels).flatMap(([name, { rateLimit }]) =>
        rateLimit === undefined ? [] : [[name, rateLimit]],
      ),
    ),
    recipients: Object.fromEntries(
      Object.entries(config.channels).flatMap(([name, channel]) =>
        'to' in channel ? [[name, channel.to.length]] : [],
      ),
    ),
    staleAfterMs: config.selfWatch.staleAfterMs,
  };
};

const silenceOf = ({ name, match, from, until, reason }: Config['silences'][number]): ConfiguredSilence => ({
  name,
  match,
  from: from ?? null,
  until,
  reason: reason ?? null,
});

/** Most messages of canaries kept in their outbox. */
const canariesKeptMax = 20;

const canaryDirectory = ({ stateDirectory }: Config): string => join(stateDirectory, 'canary');

/** The configured channels, and the one that canaries end in. */
const openChannels = (config: Config, log: Logger): ReadonlyMap<string, Channel> => {
  const surroundings = { log, ...(config.publicUrl === undefined ? {} : { publicUrl: config.publicUrl }) };
  return new Map(
    Object.entries({
      ...config.channels,
      ...(config.selfWatch.canaryMs === undefined
        ? {}
        : { [canaryChannel]: { type: 'outbox', directory: canaryDirectory(config), keep: canariesKeptMax } as const }),
    }).map(([name, channel]) => [name, createChannel(name, channel, surroundings)]),
  );
};

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
