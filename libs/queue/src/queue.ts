import type { Queryable } from '@tocsin/runtime';

/** The queues that carry work. `dead-letters` beside them only collects; nothing works it off. */
export const QUEUE_NAMES = ['signals', 'timers', 'deliveries'] as const;
export type QueueName = (typeof QUEUE_NAMES)[number];

/** Where a job goes that no attempt could finish or that nobody could read. Counted by `depth`, never emptied by us. */
export const DEAD_LETTERS = 'dead-letters';

/** What a job of each queue carries. Named by the caller, because the queue knows nothing of alerts. */
export type QueuePayloads = Readonly<Record<QueueName, unknown>>;

/** One claim of one job. `attempt` counts from 0; a claim that was lost or failed makes the next attempt. */
export interface QueueJob<T = unknown, Q extends QueueName = QueueName> {
  readonly id: string;
  readonly attempt: number;
  readonly queue: Q;
  readonly data: T;
}

/** A job to be. With `id` (a UUID) it is idempotent: while a job of that id is kept in the queue, a second is dropped. */
export interface EnqueueInto<Q extends QueueName, T> {
  readonly queue: Q;
  readonly data: T;
  /** ISO-8601 UTC instant (`2026-01-31T03:00:00.000Z`) before which nobody gets the job. Absent means now. */
  readonly startAfter?: string;
  readonly id?: string;
}

export type Enqueue<P extends QueuePayloads = QueuePayloads> = { [Q in QueueName]: EnqueueInto<Q, P[Q]> }[QueueName];

/**
 * Works off jobs of one queue. Returning means done: what was not completed inside a transaction is completed now.
 * Throwing means not done: the jobs come back after a growing pause of 1 to 60 s.
 *
 * Gets several jobs only on their first attempt; a job that comes back is handed over alone, so that one bad job cannot
 * hold the others back for ever. `signal` aborts when the claim is lost or the process stops; pass it to every call out.
 * May run twice for the same job, at the same time even: only `completeInTransaction` decides whose effects count.
 */
export type JobHandler<T, Q extends QueueName = QueueName> = (
  jobs: readonly QueueJob<T, Q>[],
  signal: AbortSignal,
) => Promise<void>;

export interface WorkOptions {
  /** Jobs claimed by one fetch, 1 to 100. */
  readonly batchSize: number;
  /** Handlers of this queue that run at the same time in this process, 1 to 32. Each needs one of the caller's connections. */
  readonly concurrency: number;
}

export interface DrainOptions {
  /** Stop after this many jobs, however many are still due. */
  readonly jobsMax: number;
  /** Jobs claimed by one fetch, 1 to 100. Default 1. */
  readonly batchSize?: number;
}

export interface QueueDepth {
  /** Due and waiting for a worker. */
  readonly ready: number;
  /** Waiting for their time: timers, and failed attempts that will be tried again. */
  readonly deferred: number;
  readonly active: number;
  /** Given up in the last hour; each left a copy in `dead-letters`. */
  readonly failed: number;
  /** Age of the job that has been due longest; null when nothing is due. */
  readonly oldestReadySeconds: number | null;
}

export type QueueDepths = Readonly<Record<QueueName | typeof DEAD_LETTERS, QueueDepth>>;

/**
 * A durable queue in the same database as everything else, so that a change of state and the work that follows from it
 * commit together. Promises: a committed job is handed out until it is completed or lies in `dead-letters`. Does not
 * promise order, nor that a handler runs only once.
 */
export interface Queue<P extends QueuePayloads = QueuePayloads> {
  /** Connects. Throws TocsinError when the schema is missing or not of this version; then nothing runs. */
  start(): Promise<void>;
  /**
   * Stops fetching, lets running handlers finish for `timeoutMs` (default 10,000), then aborts their signals and gives
   * their jobs back. Claimed jobs whose handler has not begun are given back at once.
   */
  stop(options?: { readonly timeoutMs?: number }): Promise<void>;
  /**
   * Adds jobs as part of the caller's transaction: one statement per queue. Nobody sees them before the commit.
   * Throws InvariantError for more than 10,000 jobs, a payload over 4 million characters or a `startAfter` not in UTC.
   */
  enqueue(tx: Queryable, jobs: readonly Enqueue<P>[]): Promise<void>;
  /**
   * Completes jobs as part of the caller's transaction. Throws LostClaimError unless this very attempt still holds every
   * one of them; let it out of the transaction, so that what a newer attempt will do is not done twice.
   */
  completeInTransaction(tx: Queryable, jobs: readonly QueueJob[]): Promise<void>;
  /** Works a queue off until `stop`. Resolves as soon as the workers are set up. */
  work<Q extends QueueName>(queue: Q, options: WorkOptions, handler: JobHandler<P[Q], Q>): Promise<void>;
  /** Works off what is due now and returns the number of attempts made. For runs that do their work and exit. */
  drain<Q extends QueueName>(queue: Q, handler: JobHandler<P[Q], Q>, options: DrainOptions): Promise<number>;
  /** How much lies in each queue at this moment. Reads the whole job table: for a metric or a report, not for a loop. */
  depth(): Promise<QueueDepths>;
}

/** What every kind of queue needs to be told. */
export interface QueueCallbacks<P extends QueuePayloads = QueuePayloads> {
  /** Turns a stored payload into a typed one or throws. Typically `schema.parse`. */
  readonly parse: { readonly [Q in QueueName]: (data: unknown) => P[Q] };
  /**
   * A payload that `parse` refuses, before its job is moved to `dead-letters`. `reason` is the parser's message. When
   * this throws, the job is retried instead of moved.
   */
  readonly onUnreadable: (job: QueueJob, reason: string) => Promise<void> | void;
  /** Everything that went wrong and is being retried: failed handlers (with their queue) and lost connections (null). */
  readonly onError: (error: unknown, queue: QueueName | null) => void;
}
