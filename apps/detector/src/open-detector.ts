import { hostname } from 'node:os';
import { SignalBatch, alertModelVersion, evolveAlert } from '@tocsin/alert-model';
import { createPostgresStore } from '@tocsin/event-store';
import { createQueue } from '@tocsin/queue';
import { toPolicy } from '@tocsin/alert-service';
import type { QueuePayloads } from '@tocsin/queue';
import {
  TocsinError,
  assertSchemaUnderstood,
  configSecrets,
  createMetrics,
  createPool,
  describeDatabaseError,
  listen,
  startWorkerServer,
} from '@tocsin/runtime';
import type { Config, Listener, Logger, Pool, Stoppable, WorkerServer } from '@tocsin/runtime';
import { createDetectorMetrics } from './detector-metrics.ts';
import { createDetector } from './detector.ts';
import type { Detector } from './detector.ts';
import { canaryTable } from './self-watch/canary-table.ts';
import { detectorHealth, detectorReady } from './self-watch/detector-health.ts';
import { openOwnPath } from './self-watch/open-own-path.ts';
import { startWatching, watchNotifier } from './self-watch/watch-notifier.ts';

/** Connections to Tocsin's own database, and to the jobs' where they are the same; the queue takes up to two more. */
const ownConnectionsMax = 3;
/** Connections to each watched database. */
const jobsConnectionsMax = 2;

/** Connections of the janitor to each watched database. */
const janitorConnectionsMax = 1;
/** Looks at the notifier, and signs of life of its own, in the time after which a component counts as silent … */
const looksPerStale = 4;
/** … but not more often than this, in milliseconds … */
const looksEveryMinMs = 250;
/** … and not less often than this. */
const looksEveryMaxMs = 15_000;
/** A sign of life is given at least this often, in milliseconds. */
const beatEveryMaxMs = 10_000;
/** What `select tocsin.hint()` notifies. */
const hintChannel = 'tocsin_hint';

/** A detector with its connections. */
export interface OpenedDetector {
  readonly detector: Detector;
  /**
   * Starts polling, listening for hints, watching the notifier, and the port for health and metrics.
   *
   * @throws TocsinError `PORT_TAKEN` when a port was chosen and cannot be listened on
   */
  readonly start: () => Promise<void>;
  /** Where health and metrics can be asked for; null before `start`, and without a port. */
  readonly address: () => WorkerServer['address'];
  /** Stops the detector and closes its connections. */
  readonly close: () => Promise<void>;
}

/**
 * A detector for the tables of a configuration, connected but not started.
 *
 * @throws TocsinError when Tocsin's own database is not configured or its schema is not of this version. A watched
 *   database that cannot be reached is no reason not to begin: the detector says so and goes on trying.
 */
export const openDetector = async (config: Config, log: Logger): Promise<OpenedDetector> => {
  const { databaseUrl } = config;
  if (databaseUrl === undefined)
    throw new TocsinError(
      'DATABASE_URL_MISSING',
      "DATABASE_URL is not set: the detector keeps its cursor and its outcomes in Tocsin's own database. Set it.",
    );
  const pools: Pool[] = [];
  const open = (connectionString: string, max: number): Pool => {
    const pool = createPool({
      connectionString,
      max,
      applicationName: 'tocsin-detector',
      onError: (error) => log.debug({ err: error }, 'an idle connection was lost and will be replaced'),
    });
    pools.push(pool);
    return pool;
  };
  const own = open(databaseUrl, ownConnectionsMax);
  const queue = createQueue<QueuePayloads>({
    connectionString: databaseUrl,
    applicationName: 'tocsin-detector-queue',
    // The detector only adds jobs, so it has nothing to be woken for.
    listen: false,
    parse: { signals: (data) => SignalBatch.parse(data), timers: (data) => data, deliveries: (data) => data },
    onUnreadable: () => {},
    claimSeconds: config.workers.claimSeconds,
    onError: (error) => log.warn({ err: error }, 'the queue had a problem and tries again'),
  });
  const close = async (): Promise<void> => {
    await queue.stop();
    await Promise.all(pools.map((pool) => pool.end()));
  };
  try {
    await assertSchemaUnderstood(own);
    await queue.start();
  } catch (error) {
    await close();
    throw error;
  }

  // A connection of its own for what may write to a watched table; whoever only reads never holds it.
  const janitors = new Map(
    [...new Set(config.jobs.flatMap((job) => job.janitorDatabaseUrl ?? []))].map((url) => [
      url,
      open(url, janitorConnectionsMax),
    ]),
  );
  const poolsByUrl = new Map(
    [...new Set(config.jobs.map((job) => job.databaseUrl ?? databaseUrl))].map((url) => [
      url,
      url === databaseUrl ? own : open(url, jobsConnectionsMax),
    ]),
  );
  const tables = [...config.jobs, ...(config.selfWatch.canaryMs === undefined ? [] : [canaryTable(databaseUrl)])];
  const store = createPostgresStore({ pool: own, foldAlert: evolveAlert, modelVersion: alertModelVersion });
  const policy = toPolicy(config);
  const metrics = createMetrics();
  const instance = `${hostname()}-${process.pid}`;
  const { staleAfterMs } = config.selfWatch;
  const lookEveryMs = Math.max(looksEveryMinMs, staleAfterMs / looksPerStale);
  const detector = createDetector({
    tables: tables.map((job) => {
      const url = job.databaseUrl ?? databaseUrl;
      const variable =
        url === databaseUrl
          ? 'DATABASE_URL'
          : url === config.jobsDatabaseUrl
            ? 'JOBS_DATABASE_URL'
            : `jobs "${job.name}"`;
      return {
        ...job,
        pool: poolsByUrl.get(url) ?? own,
        ...janitorOf(job.janitorDatabaseUrl === undefined ? undefined : janitors.get(job.janitorDatabaseUrl)),
        describeError: (error) => describeDatabaseError(error, url, variable),
      };
    }),
    store,
    queue,
    metrics: createDetectorMetrics(metrics),
    describeStoreError: (error) => describeDatabaseError(error, databaseUrl),
    log,
    policy,
    interruptedAfterMs: config.workers.claimSeconds * 1_000,
    instance,
    secrets: configSecrets(config),
    beatEveryMs: Math.min(beatEveryMaxMs, lookEveryMs),
  });
  const notifierWatch = watchNotifier({
    context: { store, queue, log },
    path: openOwnPath(config, policy, log),
    instance,
    staleAfterMs,
    monotonicMs: () => performance.now(),
    publicUrl: config.publicUrl ?? null,
  });
  const running: Stoppable[] = [];
  let server: WorkerServer | null = null;
  const start = async (): Promise<void> => {
    const { host, detectorPort } = config.workers;
    if (detectorPort !== undefined) {
      server = await startWorkerServer({
        host,
        port: detectorPort,
        setting: 'TOCSIN_DETECTOR_PORT',
        log,
        health: () => detectorHealth(detector.health()),
        ready: () => detectorReady(own, detector.health(), notifierWatch.status()),
        metrics,
      });
      running.push(server);
    }
    detector.start();
    const listeners = [...new Set(tables.map((job) => job.databaseUrl ?? databaseUrl))].map(
      (connectionString): Listener =>
        listen({
          connectionString,
          channel: hintChannel,
          applicationName: 'tocsin-detector-hints',
          onNotify: detector.wake,
          onProblem: (error) => log.debug({ err: error }, 'hints do not arrive at the moment; polling goes on'),
        }),
    );
    running.push(...listeners);
    running.push(startWatching(notifierWatch.look, Math.min(looksEveryMaxMs, lookEveryMs), log));
  };
  return {
    detector,
    start,
    address: () => server?.address ?? null,
    close: async () => {
      await Promise.all(running.map((part) => part.stop()));
      await detector.stop();
      await close();
    },
  };
};

const janitorOf = (janitorPool: Pool | undefined): { readonly janitorPool?: Pool } =>
  janitorPool === undefined ? {} : { janitorPool };
