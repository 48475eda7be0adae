import type { Db } from 'pg-boss';
import { QUEUE_SCHEMA } from './queue-settings.ts';
import type { QueueName } from './queue.ts';

/** `$1`: the names of the queues. Exported so that a test can explain the very text. */
export const DUE_QUEUES_SQL = `
  select wanted.name
  from unnest($1::text[]) as wanted (name)
  where exists (
    select from ${QUEUE_SCHEMA}.job
    where job.name = wanted.name
      and job.state < 'active'
      and not job.blocked
      and job.start_after <= ${QUEUE_SCHEMA}.job_now()
  )`;

/**
 * Which of `queues` have a job that is due and claimed by nobody.
 *
 * This one statement a second stands in for the polling of every single worker. pg-boss notifies only of jobs that are
 * due when they are added; deferred jobs, retries and everything that came while the listening connection was down are
 * found here. Index job_i11 (name, priority, created_on, start_after): not yet due jobs are skipped inside the index.
 */
export async function selectDueQueues(db: Db, queues: readonly QueueName[]): Promise<readonly QueueName[]> {
  const { rows } = await db.executeSql(DUE_QUEUES_SQL, [queues]);
  const due = new Set(rows.map((row: { name: string }) => row.name));
  return queues.filter((name) => due.has(name));
}
