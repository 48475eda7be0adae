import type { Pool } from 'pg';
import type { Job } from './job.ts';

const deadPerSweepMax = 100;

/**
 * The janitor: marks running jobs without a sign of life as dead, so that a killed worker does not leave its job
 * running for ever.
 *
 * @param stuckRunningAfterMs how long a running job may go without a heartbeat.
 */
export async function markDeadJobs(
  db: Pool,
  stuckRunningAfterMs: number,
): Promise<readonly Pick<Job, 'source' | 'job_type' | 'target_id'>[]> {
  const result = await db.query<Pick<Job, 'source' | 'job_type' | 'target_id'>>(
    `with stuck as (
       select id
       from public.research_jobs
       where
         status = 'running'
         and source = 'apple'
         and coalesce(heartbeat_at, started_at) < now() - $1::integer * interval '1 millisecond'
       order by id
       limit $2
       for update skip locked
     )
     update public.research_jobs as job
     set
       status = 'dead',
       error = format(
         'no heartbeat since %s, longer than STUCK_RUNNING_AFTER (%s s): the worker is gone',
         to_char(coalesce(job.heartbeat_at, job.started_at) at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
         round($1::integer / 1000.0, 1)::float
       ),
       finished_at = now(),
       updated_at = now()
     from stuck
     where job.id = stuck.id
     returning job.source, job.job_type, job.target_id`,
    [stuckRunningAfterMs, deadPerSweepMax],
  );
  return result.rows;
}
