import { setTimeout as delay } from 'node:timers/promises';
import type { Queryable } from '@tocsin/runtime';
import type { Jobs } from './jobs.ts';
import type { Random } from './random.ts';
import { waitUntil } from './wait-until.ts';

/** Jobs that fall silent, or wait for a worker, for a while, whatever happens to the database. */
export interface RestlessWork {
  /** Ends it: every job of it has then succeeded, or was buried and has a success after it. */
  readonly stop: () => Promise<void>;
}

export interface RestlessWorkOptions {
  /** The type of its jobs, and of no others. */
  readonly jobType: string;
  /** Jobs at a time; each has a target of its own. Fewer than five, or their silence would be told as one. */
  readonly jobs: number;
  /** How long a job is silent or waits, in milliseconds. */
  readonly pauseMs: { readonly min: number; readonly max: number };
  readonly random: Random;
}

/**
 * Runs jobs that stay away for a while: one falls silent and beats again, one falls silent and is buried, one waits and
 * is picked up late. What the database does not take is left out; the end sets right what was left in between.
 */
export const startRestlessWork = (
  queryable: Queryable,
  jobs: Jobs,
  { jobType, jobs: count, pauseMs, random }: RestlessWorkOptions,
): RestlessWork => {
  const stopping = new AbortController();
  const pause = (): Promise<void> =>
    delay(random.between(pauseMs.min, pauseMs.max), undefined, { signal: stopping.signal }).catch(() => {});
  const away = {
    silent: async (id: string): Promise<void> => {
      await jobs.claim(id);
      await pause();
      await jobs.beat(id);
      await jobs.succeed(id);
    },
    buried: async (id: string): Promise<void> => {
      await jobs.claim(id);
      await pause();
      await jobs.bury(id, 'its reaper found it silent');
    },
    waiting: async (id: string): Promise<void> => {
      await pause();
      await jobs.claim(id);
      await jobs.succeed(id);
    },
  };
  const run = async (targetId: string): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        await away[random.pick(['silent', 'buried', 'waiting'] as const)](await jobs.enqueue({ jobType, targetId }));
      } catch {
        // The database is away; what it has of the job is set right in the end.
        await delay(100);
      }
    }
  };
  const targets = Array.from({ length: count }, (_, number) => `restless-${number}`);
  const running = targets.map(run);
  const setRight = async (): Promise<true> => {
    await queryable.query(
      `update public.research_jobs
       set status = 'succeeded', heartbeat_at = now(), finished_at = now(), updated_at = now()
       where job_type = $1 and status in ('pending', 'running')`,
      [jobType],
    );
    await jobs.succeedMany(targets.map((targetId) => ({ jobType, targetId })));
    return true;
  };
  return {
    stop: async () => {
      stopping.abort();
      await Promise.all(running);
      await waitUntil('the jobs left behind to be set right', () => setRight().catch(() => false));
    },
  };
};
