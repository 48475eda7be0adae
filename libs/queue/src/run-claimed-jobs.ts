import type { JobHandler, QueueCallbacks, QueueJob, QueueName, QueuePayloads } from './queue.ts';

/** A job as it was claimed, not yet read. `signal` aborts when the claim is lost. */
export interface ClaimedJob<Q extends QueueName> extends QueueJob<unknown, Q> {
  readonly signal: AbortSignal;
}

export interface ClaimRunner<P extends QueuePayloads, Q extends QueueName> {
  readonly queue: Q;
  readonly handler: JobHandler<P[Q], Q>;
  readonly callbacks: QueueCallbacks<P>;
  /** True once the process stops: what has not begun is then given back. */
  readonly isStopping: () => boolean;
  /** Ends these attempts as failed, if they still hold their jobs; the jobs come back after a pause. */
  readonly fail: (jobs: readonly QueueJob[], error: unknown) => Promise<void>;
  /** Moves a job to the dead letters, if this attempt still holds it. */
  readonly deadLetter: (job: QueueJob, reason: string) => Promise<void>;
}

/**
 * Runs the handler over claimed jobs. When this returns, every job has been handled, failed or moved to the dead letters,
 * so that the caller may complete all that is still held by these attempts. When it throws, nothing may be completed.
 *
 * Jobs on their first attempt go to the handler together. A job that comes back goes alone, because it may be the one
 * that made its companions fail.
 */
export async function runClaimedJobs<P extends QueuePayloads, Q extends QueueName>(
  claimed: readonly ClaimedJob<Q>[],
  runner: ClaimRunner<P, Q>,
): Promise<void> {
  const first: Readable<P[Q], Q>[] = [];
  const groups: Readable<P[Q], Q>[][] = [first];
  for (const job of claimed) {
    const read = await readOrSetAside(job, runner);
    if (read === null) continue;
    if (job.attempt === 0) first.push(read);
    else groups.push([read]);
  }
  for (const group of groups) {
    if (group.length > 0) await runGroup(group, runner);
  }
}

interface Readable<T, Q extends QueueName> {
  readonly job: QueueJob<T, Q>;
  readonly signal: AbortSignal;
}

async function readOrSetAside<P extends QueuePayloads, Q extends QueueName>(
  claimed: ClaimedJob<Q>,
  runner: ClaimRunner<P, Q>,
): Promise<Readable<P[Q], Q> | null> {
  const { signal, ...job } = claimed;
  let data: P[Q];
  try {
    data = runner.callbacks.parse[runner.queue](job.data);
  } catch (error) {
    await setAside(job, error instanceof Error ? error.message : String(error), runner);
    return null;
  }
  return { job: { ...job, data }, signal };
}

async function setAside<P extends QueuePayloads, Q extends QueueName>(
  job: QueueJob,
  reason: string,
  runner: ClaimRunner<P, Q>,
): Promise<void> {
  try {
    await runner.callbacks.onUnreadable(job, reason);
  } catch (error) {
    runner.callbacks.onError(error, runner.queue);
    await runner.fail([job], error);
    return;
  }
  await runner.deadLetter(job, reason);
}

async function runGroup<P extends QueuePayloads, Q extends QueueName>(
  group: readonly Readable<P[Q], Q>[],
  runner: ClaimRunner<P, Q>,
): Promise<void> {
  const jobs = group.map((entry) => entry.job);
  const signal = AbortSignal.any(group.map((entry) => entry.signal));
  if (runner.isStopping() || signal.aborted) {
    await runner.fail(jobs, new Error('given back before it was begun'));
    return;
  }
  try {
    await runner.handler(jobs, signal);
  } catch (error) {
    runner.callbacks.onError(error, runner.queue);
    await runner.fail(jobs, error);
  }
}
