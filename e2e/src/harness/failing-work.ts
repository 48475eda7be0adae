import { setTimeout as delay } from 'node:timers/promises';
import type { JobFields, Jobs } from './jobs.ts';

/** Jobs that fail and succeed on and on, whatever happens to the database. */
export interface FailingWork {
  /** Transactions that were committed for certain; after an error one more may have been. */
  readonly committed: () => number;
  /** Every piece of work it does. */
  readonly work: readonly JobFields[];
  /** Ends it; resolves when the last transaction has ended. */
  readonly stop: () => Promise<void>;
}

export interface FailingWorkOptions {
  /** From the beginning of one transaction to that of the next, where it does not take longer, in milliseconds. */
  readonly everyMs: number;
  /** Failures per transaction. */
  readonly failures: number;
  /** Different pieces of work; each is a key of its own. */
  readonly targets: number;
  /** Every how many transactions one is of successes. Default: none. */
  readonly successEvery?: number;
  /** Default: `refresh_catalog`. */
  readonly jobType?: string;
}

/**
 * Commits failures at a steady pace. A transaction that the database cannot take is left out, as by a worker that is cut
 * off: what counts afterwards is what stands in the table.
 */
export const startFailingWork = (jobs: Jobs, options: FailingWorkOptions): FailingWork => {
  const { everyMs, failures, targets, successEvery = Number.POSITIVE_INFINITY, jobType = 'refresh_catalog' } = options;
  const stopping = new AbortController();
  let committed = 0;
  let next = 0;
  const run = async (): Promise<void> => {
    for (let turn = 1; !stopping.signal.aborted; turn += 1) {
      const begunMs = performance.now();
      const work = Array.from({ length: failures }, () => {
        next += 1;
        return { source: 'apple', jobType, targetId: `target-${next % targets}` };
      });
      try {
        if (turn % successEvery === 0) await jobs.succeedMany(work);
        else await jobs.failMany(work, (index) => `HTTP 503 after ${index} of ${failures}`);
        committed += 1;
      } catch {
        // The database is away; the next one may be taken.
      }
      const leftMs = Math.max(1, everyMs - (performance.now() - begunMs));
      await delay(leftMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  };
  const running = run();
  return {
    committed: () => committed,
    work: Array.from({ length: targets }, (_, target) => ({ source: 'apple', jobType, targetId: `target-${target}` })),
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
};
