import type { Pool } from 'pg';
import type { Job } from './job.ts';

/** Takes the oldest due job and marks it running; undefined when none is due. */
export async function claimDueJob(db: Pool): Promise<Job | undefined> {
  // `skip locked` lets several workers claim side by side without waiting for each other. Index: research_jobs_due.
  const result = await db.query<Job>(
    `with due as (
       select id
       from public.research_jobs
       where status = 'pending' and source = 'apple' and run_after <= now()
       order by run_after, id
       limit 1
       for update skip locked
     )
     update public.research_jobs as job
     set
       status = 'running',
       attempts = job.attempts + 1,
       started_at = now(),
       heartbeat_at = now(),
       finished_at = null,
       updated_at = now()
     from due
     where job.id = due.id
     returning
       job.id,
       job.source,
       job.job_type,
       job.target_id,
       job.attempts,
       job.max_attempts,
       job.payload ->> 'chain_started_at' as chain_started_at`,
  );
  return result.rows[0];
}
