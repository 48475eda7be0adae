import type { Job, PgBoss } from 'pg-boss';
import { CLAIM_SECONDS } from './queue-settings.ts';
import type { QueueName } from './queue.ts';

/** Claims that are renewed while their jobs are worked on. */
export interface HeldClaims {
  /** Aborts when the claim on that job turns out to be lost. */
  signalOf(jobId: string): AbortSignal;
  /** Stops renewing. */
  release(): void;
  /** Stops renewing and aborts every signal. */
  abandon(): void;
}

/**
 * Renews the claims of fetched jobs at half their claim time, as pg-boss's own workers do for theirs. A renewal that fails
 * says nothing about the claims, so it is only reported; whoever took the job over is kept apart by the attempt number.
 */
export function holdClaims(
  boss: PgBoss,
  queue: QueueName,
  jobs: readonly Job<unknown>[],
  onError: (error: unknown) => void,
): HeldClaims {
  const controllers = new Map(jobs.map((job) => [job.id, new AbortController()]));
  const claimSeconds = Math.min(...jobs.map((job) => job.heartbeatSeconds ?? CLAIM_SECONDS));

  const renew = async (): Promise<void> => {
    const held = jobs.filter((job) => controllers.get(job.id)?.signal.aborted === false);
    if (held.length === 0) return;
    const { settled } = (await boss.touch(queue, held)) as { settled?: readonly string[] };
    if (settled === undefined) return;
    for (const job of held) {
      if (!settled.includes(job.id)) controllers.get(job.id)?.abort(new Error(`the claim on job ${job.id} is lost`));
    }
  };
  const timer = setInterval(() => void renew().catch(onError), (claimSeconds * 1000) / 2);

  return {
    signalOf: (jobId) => controllers.get(jobId)?.signal ?? AbortSignal.abort(),
    release: () => clearInterval(timer),
    abandon() {
      clearInterval(timer);
      for (const controller of controllers.values()) controller.abort(new Error('the queue was stopped'));
    },
  };
}
