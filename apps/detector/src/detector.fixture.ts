import { FailureSignal, Signal, SignalBatch, SuccessSignal, alertModelVersion, evolveAlert } from '@tocsin/alert-model';
import { createPostgresStore } from '@tocsin/event-store';
import { createQueue } from '@tocsin/queue';
import type { Queue, QueuePayloads } from '@tocsin/queue';
import { createLogger } from '@tocsin/runtime';
import type { Logger, Pool } from '@tocsin/runtime';
import type { TestDatabase } from '@tocsin/testing';
import { afterAll } from 'vitest';
import { createDetector } from './detector.ts';
import type { Detector, DetectorOptions } from './detector.ts';
import type { WatchedTable } from './detector-ports.ts';

/** A detector on a test database, and what came out of it. */
export interface DetectorBench {
  readonly table: WatchedTable;
  readonly store: ReturnType<typeof createPostgresStore>;
  readonly queue: Queue<QueuePayloads>;
  /** Writes to `log`. */
  readonly logger: Logger;
  /** A new detector, as after a restart: it remembers only what the database holds. */
  readonly detector: (
    changes?: Partial<Omit<DetectorOptions, 'tables'>> & { readonly tables?: readonly WatchedTable[] },
  ) => Detector;
  readonly signals: () => Promise<readonly Signal[]>;
  readonly failures: () => Promise<readonly FailureSignal[]>;
  readonly successes: () => Promise<readonly SuccessSignal[]>;
  /** Entries logged so far, parsed. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
  /** Forgets everything: jobs, outcomes, cursors, queue, log. */
  readonly clear: () => Promise<void>;
}

/** Call at the top of a test file. The queue's connections are closed when the file is done. */
export const createDetectorBench = async ({ pool, connectionString }: TestDatabase): Promise<DetectorBench> => {
  const queue = createQueue<QueuePayloads>({
    connectionString,
    listen: false,
    parse: { signals: (data) => SignalBatch.parse(data), timers: (data) => data, deliveries: (data) => data },
    onUnreadable: () => {},
    onError: () => {},
  });
  await queue.start();
  afterAll(() => queue.stop());
  const store = createPostgresStore({ pool, foldAlert: evolveAlert, modelVersion: alertModelVersion });
  const entries: Readonly<Record<string, unknown>>[] = [];
  const log = createLogger({
    level: 'debug',
    name: 'test',
    destination: { write: (line) => entries.push(JSON.parse(line)) },
  });
  const table = watched(pool);
  const signals = async (): Promise<readonly Signal[]> => {
    const { rows } = await pool.query<{ readonly data: unknown }>(
      "select data from pgboss.job where name = 'signals' order by created_on, id",
    );
    return rows.flatMap(({ data }) => SignalBatch.parse(data).signals.map((signal) => Signal.parse(signal)));
  };
  return {
    table,
    store,
    queue,
    logger: log,
    log: entries,
    detector: (changes) => createDetector({ tables: [table], store, queue, log, instance: 'test', ...changes }),
    signals,
    failures: async () => (await signals()).filter((signal) => signal.signal === 'FailureDetected'),
    successes: async () => (await signals()).filter((signal) => signal.signal === 'SuccessDetected'),
    clear: async () => {
      await pool.query(
        'truncate public.research_jobs, tocsin.outcomes, tocsin.cursors, tocsin.heartbeats, tocsin.alerts',
      );
      await pool.query('delete from pgboss.job');
      entries.length = 0;
    },
  };
};

export const watched = (pool: Pool, changes: Partial<WatchedTable> = {}): WatchedTable => ({
  name: 'research_jobs',
  table: 'public.research_jobs',
  adapter: 'research_jobs',
  pollMs: 100,
  reconcileMs: 60_000,
  lookBackMs: 14 * 86_400_000,
  batch: 500,
  pool,
  ...changes,
});

/** Texts in a fixed order, for comparing sets; null comes first. */
export const sorted = (texts: readonly (string | null)[]): readonly (string | null)[] =>
  texts.toSorted((a, b) => ((a ?? '') < (b ?? '') ? -1 : 1));
