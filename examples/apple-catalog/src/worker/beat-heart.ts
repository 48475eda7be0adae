import type { Pool } from 'pg';
import type { Job } from './job.ts';

/** Says that the job is still being worked on. False when the row is no longer this worker's. */
export async function beatHeart(db: Pool, job: Job): Promise<boolean> {
  const result = await db.query(
    `update public.research_jobs
     set heartbeat_at = now(), updated_at = now()
     where id = $1 and status = 'running' and attempts = $2`,
    [job.id, job.attempts],
  );
  return result.rowCount === 1;
}
