import type { PoolClient } from 'pg';
import { catalogTargets } from '../catalog-targets.ts';
import { JobTakenAwayError, type Job } from './job.ts';

/** What a job did, in counts; stored in the column `result`. */
export interface JobResult {
  readonly total: number;
  readonly failed: number;
  readonly [count: string]: number;
}

/**
 * Marks the job succeeded, in the transaction that holds its work.
 *
 * @throws JobTakenAwayError when the row is no longer this worker's; the transaction must then be rolled back.
 */
export async function recordSuccess(tx: PoolClient, job: Job, result: JobResult): Promise<void> {
  // clock_timestamp(), because now() is the moment the transaction began.
  const updated = await tx.query(
    `update public.research_jobs
     set
       status = 'succeeded',
       result = $3,
       error = null,
       heartbeat_at = clock_timestamp(),
       finished_at = clock_timestamp(),
       updated_at = clock_timestamp()
     where id = $1 and status = 'running' and attempts = $2`,
    [job.id, job.attempts, JSON.stringify(result)],
  );
  if (updated.rowCount !== 1) throw new JobTakenAwayError(job);
}

/**
 * Enqueues the chain's last job once every target of the run has succeeded; does nothing before that, or when the run
 * already has it.
 */
export async function enqueueRebuildWhenComplete(tx: PoolClient, job: Job): Promise<boolean> {
  if (job.chain_started_at === null) return false;
  // Two workers that finish the last two targets at once would each not see the other's success. The lock, held until
  // commit, makes the later one look again after the earlier one's commit.
  await tx.query(`select pg_advisory_xact_lock(hashtextextended('apple/rebuild_index/' || $1, 0))`, [
    job.chain_started_at,
  ]);
  const inserted = await tx.query(
    `with run as (
       select job_type, target_id, status
       from public.research_jobs
       where source = 'apple' and payload ->> 'chain_started_at' = $1
     )
     insert into public.research_jobs (source, job_type, status, max_attempts, payload)
     select 'apple', 'rebuild_index', 'pending', $2, jsonb_build_object('chain_started_at', $1::text)
     where
       not exists (select from run where job_type = 'rebuild_index')
       and (
         select count(distinct target_id)
         from run
         where job_type = 'refresh_catalog' and status = 'succeeded' and target_id = any($3::text[])
       ) = cardinality($3::text[])`,
    [job.chain_started_at, job.max_attempts, catalogTargets],
  );
  return inserted.rowCount === 1;
}
