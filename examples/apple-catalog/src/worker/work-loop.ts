import { setTimeout as delay } from 'node:timers/promises';
import type { Pool } from 'pg';
import { beatHeart } from './beat-heart.ts';
import { claimDueJob } from './claim-due-job.ts';
import { createCatalogueTables } from './create-catalogue-tables.ts';
import { jobName, JobTakenAwayError, type Job } from './job.ts';
import { markDeadJobs } from './mark-dead-jobs.ts';
import { recordFailure } from './record-failure.ts';
import { runJob } from './run-job.ts';

/** How a worker works; all times in milliseconds. */
export interface WorkerSettings {
  /** Where the catalogue comes from, without a slash at the end. */
  readonly sourceUrl: string;
  /** How often an idle worker looks for due and dead jobs. */
  readonly pollMs: number;
  /** How often a running job says that it is alive. */
  readonly heartbeatMs: number;
  /** The pause before the second attempt; it grows with each attempt. */
  readonly backoffMs: number;
  /** How long a running job may be silent before the janitor marks it dead. */
  readonly stuckRunningAfterMs: number;
}

const afterErrorMs = 1000;

/**
 * Works through due jobs, one at a time, until `signal` aborts; the job at hand is then finished first. Errors of jobs
 * are written into their rows; errors of the database are logged and tried again for ever, as a service must.
 */
export async function workLoop(
  db: Pool,
  settings: WorkerSettings,
  signal: AbortSignal,
  log: (line: string) => void,
): Promise<void> {
  let tablesExist = false;
  while (!signal.aborted) {
    try {
      if (!tablesExist) await createCatalogueTables(db);
      tablesExist = true;
      for (const dead of await markDeadJobs(db, settings.stuckRunningAfterMs)) log(`${jobName(dead)} marked dead`);
      const job = await claimDueJob(db);
      if (job === undefined) await pause(settings.pollMs, signal);
      else await work(db, settings, job, log);
    } catch (error) {
      log(`trying again after: ${error instanceof Error ? error.message : String(error)}`);
      await pause(afterErrorMs, signal);
    }
  }
}

async function work(db: Pool, settings: WorkerSettings, job: Job, log: (line: string) => void): Promise<void> {
  const name = `${jobName(job)} (attempt ${job.attempts} of ${job.max_attempts})`;
  const takenAway = new AbortController();
  log(`${name} running`);
  const heart = setInterval(() => {
    beatHeart(db, job).then(
      (mine) => {
        if (!mine) takenAway.abort(new JobTakenAwayError(job));
      },
      // A missed beat is not the end of the job; the janitor decides after several.
      (error: unknown) => log(`heartbeat missed: ${error instanceof Error ? error.message : String(error)}`),
    );
  }, settings.heartbeatMs);
  try {
    await runJob(db, job, settings.sourceUrl, takenAway.signal);
    log(`${name} succeeded`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const status =
      error instanceof JobTakenAwayError ? undefined : await recordFailure(db, job, error, settings.backoffMs);
    log(
      `${name} ${status === undefined ? 'given up' : status === 'failed' ? 'failed for good' : 'will be tried again'}: ${reason}`,
    );
  } finally {
    clearInterval(heart);
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}
