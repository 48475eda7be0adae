import { randomUUID } from 'node:crypto';
import { InvariantError, type Queryable, type Transaction } from '@tocsin/runtime';
import { LostClaimError } from './queue-errors.ts';
import {
  DEAD_LETTERS,
  type JobHandler,
  QUEUE_NAMES,
  type Queue,
  type QueueCallbacks,
  type QueueDepth,
  type QueueDepths,
  type QueueJob,
  type QueueName,
  type QueuePayloads,
} from './queue.ts';
import { runClaimedJobs } from './run-claimed-jobs.ts';
import { toInserts } from './to-inserts.ts';

/** Attempts that one `runDue` makes before it says that handlers keep each other busy for ever. */
const RUN_ATTEMPTS_MAX = 1_000_000;
const RETRY_PAUSE_MAX_SECONDS = 60;

export interface MemoryQueueOptions<P extends QueuePayloads = QueuePayloads> extends QueueCallbacks<P> {
  /** Where the queue's clock begins, ISO-8601 UTC. It moves only by `runDue` and `advanceTo`. */
  readonly startAt: string;
}

/** The queue without a database, for tests and simulations: same promises inside one process, a clock moved by hand. */
export interface MemoryQueue<P extends QueuePayloads = QueuePayloads> extends Queue<P> {
  /** What is added inside is seen after `work` has returned; if it throws, nothing was added or completed. Has no SQL. */
  transaction<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result>;
  /** Moves the clock to `now` if that is later, hands out all that is due by then, and returns the attempts made. */
  runDue(now: string): Promise<number>;
  /** Moves the clock to `now` if that is later. Nothing runs. */
  advanceTo(now: string): void;
  /** When the next job is due (it may lie in the past), ISO-8601 UTC; null when none waits. */
  nextDueAt(): string | null;
  /** As if every process that holds a job had been killed: the jobs are due again at once. */
  loseClaims(): void;
}

interface MemoryJob {
  readonly id: string;
  readonly queue: QueueName;
  readonly json: string;
  readonly order: number;
  state: 'waiting' | 'active' | 'failed';
  claims: number;
  startAfterMs: number;
}

interface Staged {
  readonly commit: (() => void)[];
  readonly rollback: (() => void)[];
}

interface Registration {
  readonly batchSize: number;
  readonly handler: (jobs: readonly QueueJob<never, never>[], signal: AbortSignal) => Promise<void>;
}

/** Makes an empty queue. Pauses between attempts double from 2 to 60 s without the chance that Postgres adds to them. */
export function createMemoryQueue<P extends QueuePayloads>(options: MemoryQueueOptions<P>): MemoryQueue<P> {
  const jobs = new Map<string, MemoryJob>();
  const doneIds = new Set<string>();
  const stagedByTx = new WeakMap<Queryable, Staged>();
  const registrations = new Map<QueueName, Registration>();
  let nowMs = Date.parse(options.startAt);
  let deadLetters = 0;
  let order = 0;
  let state: 'new' | 'running' | 'stopped' = 'new';

  const assertRunning = (): void => {
    if (state !== 'running') throw new InvariantError(`The queue is ${state}; call start() first and stop() last.`);
  };
  const holder = (job: QueueJob): MemoryJob | null => {
    const found = jobs.get(job.id);
    return found?.state === 'active' && found.claims - 1 === job.attempt ? found : null;
  };
  const finish = (job: MemoryJob): void => {
    jobs.delete(job.id);
    doneIds.add(job.id);
  };
  const due = (queue: QueueName): MemoryJob[] =>
    [...jobs.values()]
      .filter((job) => job.queue === queue && job.state === 'waiting' && job.startAfterMs <= nowMs)
      .sort((one, other) => one.order - other.order);

  const fail = async (failed: readonly QueueJob[]): Promise<void> => {
    for (const job of failed.map(holder)) {
      if (job === null) continue;
      job.state = 'waiting';
      job.startAfterMs = nowMs + Math.min(RETRY_PAUSE_MAX_SECONDS, 2 ** Math.min(16, job.claims)) * 1000;
    }
  };
  const deadLetter = async (job: QueueJob): Promise<void> => {
    const held = holder(job);
    if (held === null) return;
    held.state = 'failed';
    deadLetters += 1;
  };

  const runBatch = async <Q extends QueueName>(
    queue: Q,
    handler: JobHandler<P[Q], Q>,
    batchSize: number,
  ): Promise<number> => {
    const batch = due(queue).slice(0, batchSize);
    const claimed = batch.map((job) => {
      job.state = 'active';
      job.claims += 1;
      const data = JSON.parse(job.json) as unknown;
      return { id: job.id, attempt: job.claims - 1, queue, data, signal: new AbortController().signal };
    });
    const isStopping = (): boolean => state !== 'running';
    await runClaimedJobs(claimed, { queue, handler, callbacks: options, isStopping, fail, deadLetter });
    for (const job of claimed) {
      const held = holder(job);
      if (held !== null) finish(held);
    }
    return batch.length;
  };

  const advanceTo = (now: string): void => {
    nowMs = Math.max(nowMs, Date.parse(now));
  };

  return {
    async start() {
      if (state !== 'new') throw new InvariantError(`The queue is ${state}; it is started once.`);
      state = 'running';
    },

    async stop() {
      state = 'stopped';
    },

    async enqueue(tx, added) {
      const staged = stagedByTx.get(tx);
      for (const [queue, rows] of toInserts(added, undefined)) {
        for (const row of rows) {
          const id = row.id ?? randomUUID();
          const json = JSON.stringify(row.data);
          const startAfterMs = typeof row.startAfter === 'string' ? Date.parse(row.startAfter) : nowMs;
          const add = (): void => {
            if (!jobs.has(id) && !doneIds.has(id)) {
              jobs.set(id, { id, queue, json, order: (order += 1), state: 'waiting', claims: 0, startAfterMs });
            }
          };
          if (staged === undefined) add();
          else staged.commit.push(add);
        }
      }
    },

    async completeInTransaction(tx, completed) {
      const staged = stagedByTx.get(tx);
      for (const queue of QUEUE_NAMES) {
        const own = completed.filter((job) => job.queue === queue);
        const held = own.map(holder).filter((job) => job !== null);
        if (held.length !== own.length)
          throw new LostClaimError(
            queue,
            own.map((job) => job.id),
            held.length,
          );
        for (const job of held) {
          finish(job);
          staged?.rollback.push(() => {
            doneIds.delete(job.id);
            jobs.set(job.id, job);
          });
        }
      }
    },

    async work(queue, { batchSize }, handler) {
      assertRunning();
      registrations.set(queue, { batchSize, handler });
    },

    async drain(queue, handler, { jobsMax, batchSize = 1 }) {
      assertRunning();
      let attempts = 0;
      while (attempts < jobsMax) {
        const made = await runBatch(queue, handler, Math.min(batchSize, jobsMax - attempts));
        if (made === 0) break;
        attempts += made;
      }
      return attempts;
    },

    async depth() {
      return depthsOf([...jobs.values()], nowMs, deadLetters);
    },

    async transaction(work) {
      const staged: Staged = { commit: [], rollback: [] };
      const tx = {
        query: () => Promise.reject(new InvariantError('A transaction of the memory queue has no SQL.')),
      } as unknown as Transaction;
      stagedByTx.set(tx, staged);
      try {
        const result = await work(tx);
        for (const step of staged.commit) step();
        return result;
      } catch (error) {
        for (const step of staged.rollback) step();
        throw error;
      }
    },

    async runDue(now) {
      assertRunning();
      advanceTo(now);
      for (let attempts = 0; attempts < RUN_ATTEMPTS_MAX;) {
        let made = 0;
        for (const [queue, { batchSize, handler }] of registrations) {
          made += await runBatch(queue, handler as JobHandler<unknown>, batchSize);
        }
        if (made === 0) return attempts;
        attempts += made;
      }
      throw new InvariantError(`More than ${RUN_ATTEMPTS_MAX} attempts were due at ${now}: jobs add jobs without end.`);
    },

    advanceTo,

    nextDueAt() {
      const waiting = [...jobs.values()].filter((job) => job.state === 'waiting').map((job) => job.startAfterMs);
      return waiting.length === 0 ? null : new Date(Math.min(...waiting)).toISOString();
    },

    loseClaims() {
      for (const job of jobs.values()) {
        if (job.state !== 'active') continue;
        job.state = 'waiting';
        job.startAfterMs = nowMs;
      }
    },
  };
}

const EMPTY: QueueDepth = { ready: 0, deferred: 0, active: 0, failed: 0, oldestReadySeconds: null };

function depthsOf(jobs: readonly MemoryJob[], nowMs: number, deadLetters: number): QueueDepths {
  const depthOf = (queue: QueueName): QueueDepth => {
    const own = jobs.filter((job) => job.queue === queue);
    const waiting = own.filter((job) => job.state === 'waiting');
    const ready = waiting.filter((job) => job.startAfterMs <= nowMs);
    return {
      ready: ready.length,
      deferred: waiting.length - ready.length,
      active: own.filter((job) => job.state === 'active').length,
      failed: own.filter((job) => job.state === 'failed').length,
      oldestReadySeconds:
        ready.length === 0 ? null : (nowMs - Math.min(...ready.map((job) => job.startAfterMs))) / 1000,
    };
  };
  const queues = { signals: depthOf('signals'), timers: depthOf('timers'), deliveries: depthOf('deliveries') };
  return {
    ...queues,
    [DEAD_LETTERS]: { ...EMPTY, ready: deadLetters, oldestReadySeconds: deadLetters === 0 ? null : 0 },
  };
}
