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
  createPool,
  describeDatabaseError,
  listen,
} from '@tocsin/runtime';
import type { Config, Listener, Logger, Pool } from '@tocsin/runtime';
import { createDetector } from './detector.ts';
import type { Detector } from './detector.ts';

/** Connections to Tocsin's own database, and to the jobs' where they are the same; the queue takes up to two more. */
const ownConnectionsMax = 3;
/** Connections to each watched database. */
const jobsConnectionsMax = 2;

/** Connections of the janitor to each watched database. */
const janitorConnectionsMax = 1;
/** What `select tocsin.hint()` notifies. */
const hintChannel = 'tocsin_hint';

/** A detector with its connections. */
export interface OpenedDetector {
  readonly detector: Detector;
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
  const detector = createDetector({
    tables: config.jobs.map((job) => {
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
    store: createPostgresStore({ pool: own, foldAlert: evolveAlert, modelVersion: alertModelVersion }),
    queue,
    describeStoreError: (error) => describeDatabaseError(error, databaseUrl),
    log,
    policy: toPolicy(config),
    interruptedAfterMs: config.workers.claimSeconds * 1_000,
    instance: `${hostname()}-${process.pid}`,
    secrets: configSecrets(config),
  });
  let listeners: readonly Listener[] = [];
  return {
    // Only a detector that goes on polling has anything to be woken for.
    detector: {
      ...detector,
      start: () => {
        detector.start();
        listeners = [...poolsByUrl.keys()].map((connectionString) =>
          listen({
            connectionString,
            channel: hintChannel,
            applicationName: 'tocsin-detector-hints',
            onNotify: detector.wake,
            onProblem: (error) => log.debug({ err: error }, 'hints do not arrive at the moment; polling goes on'),
          }),
        );
      },
    },
    close: async () => {
      await Promise.all(listeners.map((listener) => listener.stop()));
      await detector.stop();
      await close();
    },
  };
};

const janitorOf = (janitorPool: Pool | undefined): { readonly janitorPool?: Pool } =>
  janitorPool === undefined ? {} : { janitorPool };
