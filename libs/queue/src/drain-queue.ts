import type { Job, PgBoss } from 'pg-boss';
import { type HeldClaims, holdClaims } from './hold-claims.ts';
import type { QueueName } from './queue.ts';

/** Jobs that a drain is working on at this moment. */
export interface DrainBatch {
  readonly queue: QueueName;
  readonly jobs: readonly Job<unknown>[];
  readonly claims: HeldClaims;
}

export interface DrainRun {
  readonly boss: PgBoss;
  readonly queue: QueueName;
  readonly jobsMax: number;
  readonly batchSize: number;
  /** Handles the jobs; whatever they still hold afterwards is completed. */
  readonly run: (jobs: readonly Job<unknown>[], claims: HeldClaims) => Promise<void>;
  readonly isStopping: () => boolean;
  readonly onError: (error: unknown) => void;
  /** Where the batch under way is entered, for whoever has to stop it. */
  readonly underWay: Set<DrainBatch>;
}

/** Fetches and runs until nothing is due, `jobsMax` attempts are made or the queue stops. Returns the attempts made. */
export async function drainQueue(drain: DrainRun): Promise<number> {
  const { boss, queue, jobsMax } = drain;
  let attempts = 0;
  while (attempts < jobsMax && !drain.isStopping()) {
    const jobs = await boss.fetch<unknown>(queue, { batchSize: Math.min(drain.batchSize, jobsMax - attempts) });
    if (jobs.length === 0) break;
    attempts += jobs.length;
    const batch: DrainBatch = { queue, jobs, claims: holdClaims(boss, queue, jobs, drain.onError) };
    drain.underWay.add(batch);
    try {
      await drain.run(jobs, batch.claims);
      // A batch that is not entered any more was given back under its handler, when the queue stopped.
      if (drain.underWay.has(batch)) await boss.complete(queue, jobs);
    } finally {
      batch.claims.release();
      drain.underWay.delete(batch);
    }
  }
  return attempts;
}

/** Fails what drains still work on, so that another worker gets it, and then aborts the handlers' signals. */
export async function giveBackBatches(boss: PgBoss, underWay: Set<DrainBatch>): Promise<void> {
  const batches = [...underWay];
  underWay.clear();
  for (const { queue, jobs, claims } of batches) {
    // If the database is away, the claims run out by themselves.
    await boss.fail(queue, [...jobs], { name: 'Stopped' }).catch(() => undefined);
    claims.abandon();
  }
}
