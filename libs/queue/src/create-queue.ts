import { setTimeout as pause } from 'node:timers/promises';
import { InvariantError, type Queryable } from '@tocsin/runtime';
import { type Db, type Job, PgBoss } from 'pg-boss';
import { assertUnderstoodAt } from './assert-queue-understood.ts';
import { type DrainBatch, drainQueue, giveBackBatches } from './drain-queue.ts';
import { exhaustAttempts } from './exhaust-attempts.ts';
import { LostClaimError } from './queue-errors.ts';
import { QUEUE_SCHEMA } from './queue-settings.ts';
import type { JobHandler, Queue, QueueCallbacks, QueueJob, QueueName, QueuePayloads } from './queue.ts';
import { QUEUE_NAMES } from './queue.ts';
import { reclaimLostClaims } from './reclaim-lost-claims.ts';
import { type Repetition, repeatEvery } from './repeat-every.ts';
import { type ClaimedJob, runClaimedJobs } from './run-claimed-jobs.ts';
import { selectDepths } from './select-depths.ts';
import { selectDueQueues } from './select-due-queues.ts';
import { toInserts } from './to-inserts.ts';

/** Connections that pg-boss takes, beside one that listens: a fetch, and whatever else there is to do. */
const CONNECTIONS_MAX = 2;
const APPLICATION_NAME = 'tocsin-queue';
const BATCH_SIZE_MAX = 100;
const CONCURRENCY_MAX = 32;
const STOP_TIMEOUT_MS = 10_000;
/** A connection that died without a word (a cable pulled, a host frozen) is given up after this long. */
const QUERY_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_DELAY_MS = 10_000;
/** Workers are woken; that each of them also looks by itself now and then is only a second safety net. */
const UNPROMPTED_FETCH_SECONDS = 60;
/** How often completed jobs that have been kept for an hour are deleted. */
const MAINTENANCE_SECONDS = 600;

export interface CreateQueueOptions<P extends QueuePayloads = QueuePayloads> extends QueueCallbacks<P> {
  readonly connectionString: string;
  /** Shown in `pg_stat_activity`. Default `tocsin-queue`. */
  readonly applicationName?: string;
  /** What pg-boss warns of: a database that cannot clean up, a backlog, a connection pooler that forbids listening. */
  readonly onWarning?: (message: string, data: object) => void;
  /** False where no connection may listen (a pooler in transaction mode); jobs then start up to `wakeEverySeconds` later. Default true. */
  readonly listen?: boolean;
  /** How often due timers and retries are looked for. Default 1. */
  readonly wakeEverySeconds?: number;
  /** How often the jobs of dead workers are looked for. Default 3. */
  readonly reclaimEverySeconds?: number;
  /** How often pg-boss supervises: counts, deletes completed jobs, watches vacuum. Default 60. */
  readonly superviseEverySeconds?: number;
  /**
   * For jobs that this queue adds: after how many seconds without a sign of life a worker is taken for dead. Whole
   * seconds. Absent means 10. A worker gives that sign every half of it, so a blocked event loop must stay below half.
   */
  readonly claimSeconds?: number;
}

/**
 * The queue in Postgres, on pg-boss. Takes up to three connections (two and one that listens). A killed worker's jobs go
 * to another within `claimSeconds + reclaimEverySeconds + wakeEverySeconds`, 14 s by default. Lost connections and a
 * restart of Postgres are survived; they are reported to `onError` and otherwise only cost time.
 */
export function createQueue<P extends QueuePayloads>(options: CreateQueueOptions<P>): Queue<P> {
  const applicationName = options.applicationName ?? APPLICATION_NAME;
  const boss = connect(options, applicationName);
  const wakersByQueue = new Map<QueueName, (() => void)[]>();
  const repetitions: Repetition[] = [];
  const drains = new Set<Promise<void>>();
  const drainBatches = new Set<DrainBatch>();
  let state: 'new' | 'running' | 'stopping' | 'stopped' = 'new';
  let supervised = false;
  let stopped: Promise<void> | undefined;

  const report = (error: unknown, queue: QueueName | null = null): void => {
    // What a handler still says that did not end in time, its connections being closed, is of no use to anybody.
    if (state !== 'stopped') options.onError(error, queue);
  };
  boss.on('error', (error) => report(asError(error), queueOf(error)));
  boss.on('warning', (warning) => options.onWarning?.(warning.message, warning.data));

  const db = (): Db => boss.getDb();
  const assertStarted = (): void => {
    if (state === 'new') throw new InvariantError('The queue is not started; call start() first.');
  };
  const assertRunning = (): void => {
    if (state !== 'running') throw new InvariantError(`The queue is ${state}; call start() first and stop() last.`);
  };

  const wakeDue = async (): Promise<void> => {
    const due = await selectDueQueues(db(), [...wakersByQueue.keys()]);
    for (const queue of due) for (const wake of wakersByQueue.get(queue) ?? []) wake();
  };
  const reclaim = async (): Promise<void> => void (await reclaimLostClaims(db(), QUEUE_NAMES));
  const supervise = async (): Promise<void> => {
    supervised = true;
    await boss.supervise();
  };
  const tend = (): void => {
    repetitions.push(
      repeatEvery(options.reclaimEverySeconds ?? 3, reclaim, report),
      repeatEvery(options.wakeEverySeconds ?? 1, wakeDue, report),
      repeatEvery(options.superviseEverySeconds ?? 60, supervise, report),
    );
  };

  const run = async <Q extends QueueName>(
    queue: Q,
    handler: JobHandler<P[Q], Q>,
    jobs: readonly Job<unknown>[],
    signalOf: (job: Job<unknown>) => AbortSignal,
  ): Promise<void> => {
    const claimed = jobs.map((job): ClaimedJob<Q> => {
      return { id: job.id, attempt: job.retryCount, queue, data: job.data, signal: signalOf(job) };
    });
    await runClaimedJobs(claimed, {
      queue,
      handler,
      callbacks: { ...options, onError: report },
      isStopping: () => state !== 'running',
      fail: async (failed, error) => void (await boss.fail(queue, failed.map(attemptOf), failureOutput(error))),
      deadLetter: async (job, reason) => {
        await exhaustAttempts(db(), job);
        await boss.fail(queue, attemptOf(job), { name: 'UnreadablePayload', reason });
      },
    });
  };

  const stop = async (timeoutMs: number): Promise<void> => {
    state = 'stopping';
    const finished = Promise.all([
      ...repetitions.map((repetition) => repetition.stop()),
      ...drains,
      ...[...wakersByQueue.keys()].map((queue) => boss.offWork(queue, { wait: true })),
    ]);
    const timeout = new AbortController();
    await Promise.race([finished, pause(timeoutMs, undefined, { signal: timeout.signal }).catch(() => undefined)]);
    timeout.abort();
    state = 'stopped';
    // Fails what is still running, so that another worker gets it at once, and only then aborts the handlers' signals.
    await giveBackBatches(boss, drainBatches);
    await boss.stop({ graceful: false });
  };

  return {
    async start() {
      if (state !== 'new') throw new InvariantError(`The queue is ${state}; it is started once.`);
      await assertUnderstoodAt(options.connectionString, applicationName);
      try {
        await boss.start();
      } catch (error) {
        await boss.stop({ graceful: false });
        throw error;
      }
      state = 'running';
    },

    stop: ({ timeoutMs = STOP_TIMEOUT_MS } = {}) => (stopped ??= stop(timeoutMs)),

    async enqueue(tx, jobs) {
      assertStarted();
      const inserts = toInserts(jobs, options.claimSeconds);
      for (const [queue, rows] of inserts) await boss.insert(queue, rows, { db: asBossDb(tx) });
    },

    async completeInTransaction(tx, jobs) {
      assertStarted();
      for (const queue of QUEUE_NAMES) {
        const own = jobs.filter((job) => job.queue === queue);
        if (own.length === 0) continue;
        const response = await boss.complete(queue, own.map(attemptOf), null, { db: asBossDb(tx) });
        // Of the answer's fields, pg-boss declares none; that this one is there is held by the contract's tests.
        const { affected } = response as { affected: number };
        if (affected !== own.length)
          throw new LostClaimError(
            queue,
            own.map((job) => job.id),
            affected,
          );
      }
    },

    async work(queue, { batchSize, concurrency }, handler) {
      assertRunning();
      assertBetween('batchSize', batchSize, BATCH_SIZE_MAX);
      assertBetween('concurrency', concurrency, CONCURRENCY_MAX);
      const wakers = wakersByQueue.get(queue) ?? [];
      wakersByQueue.set(queue, wakers);
      const interval = {
        pollingIntervalSeconds: UNPROMPTED_FETCH_SECONDS,
        notifyPollingIntervalSeconds: UNPROMPTED_FETCH_SECONDS,
      };
      for (let index = 0; index < concurrency; index += 1) {
        const workerId: string = await boss.work<unknown>(queue, { batchSize, ...interval }, async (jobs) => {
          try {
            await run(queue, handler, jobs, (job) => job.signal);
          } finally {
            // Where there was one there may be more: fetch until a fetch comes back empty.
            boss.notifyWorker(workerId);
          }
        });
        wakers.push(() => boss.notifyWorker(workerId));
      }
      if (repetitions.length === 0) tend();
    },

    async drain(queue, handler, { jobsMax, batchSize = 1 }) {
      assertRunning();
      assertBetween('batchSize', batchSize, BATCH_SIZE_MAX);
      await reclaim();
      if (!supervised) await supervise();
      const drain = drainQueue({
        boss,
        queue,
        jobsMax,
        batchSize,
        run: (jobs, claims) => run(queue, handler, jobs, (job) => claims.signalOf(job.id)),
        isStopping: () => state !== 'running',
        onError: report,
        underWay: drainBatches,
      });
      const ended = drain.then(
        () => undefined,
        () => undefined,
      );
      drains.add(ended);
      return drain.finally(() => drains.delete(ended));
    },

    depth: () => selectDepths(db()),
  };
}

function connect(options: Pick<CreateQueueOptions, 'connectionString' | 'listen'>, applicationName: string): PgBoss {
  // pg-boss hands what it does not know itself to `pg`, where these belong.
  const socket = { keepAlive: true, keepAliveInitialDelayMillis: KEEP_ALIVE_DELAY_MS, query_timeout: QUERY_TIMEOUT_MS };
  return new PgBoss({
    ...socket,
    connectionString: options.connectionString,
    schema: QUEUE_SCHEMA,
    application_name: applicationName,
    max: CONNECTIONS_MAX,
    migrate: false,
    createSchema: false,
    schedule: false,
    supervise: false,
    useListenNotify: options.listen ?? true,
    maintenanceIntervalSeconds: MAINTENANCE_SECONDS,
  });
}

function asBossDb(tx: Queryable): Db {
  return { executeSql: (text, values) => tx.query(text, values) };
}

function attemptOf(job: QueueJob): { id: string; retryCount: number } {
  return { id: job.id, retryCount: job.attempt };
}

/** What is kept with a failed attempt: what kind of error, not its text, which may hold what must not be stored. */
function failureOutput(error: unknown): object {
  if (!(error instanceof Error)) return { name: typeof error };
  return { name: error.name, ...('code' in error && typeof error.code === 'string' ? { code: error.code } : {}) };
}

/** pg-boss reports some errors as plain copies; a log wants the real thing. */
function asError(error: Error): Error {
  return error instanceof Error ? error : Object.assign(new Error((error as Error).message), error);
}

function queueOf(error: object): QueueName | null {
  return 'queue' in error ? (QUEUE_NAMES.find((name) => name === error.queue) ?? null) : null;
}

function assertBetween(name: string, value: number, max: number): void {
  if (!Number.isInteger(value) || value < 1 || value > max) {
    throw new InvariantError(`${name} is ${value}; it has to be a whole number from 1 to ${max}.`);
  }
}
