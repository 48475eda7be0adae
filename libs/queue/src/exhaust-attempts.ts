import type { Db } from 'pg-boss';
import { QUEUE_SCHEMA } from './queue-settings.ts';
import type { QueueJob } from './queue.ts';

/**
 * Takes from a claimed job the attempts it has left, so that failing it moves it to the dead letters with its origin
 * (pg-boss keeps that to its own workers). Does nothing if this attempt no longer holds the job.
 */
export async function exhaustAttempts(db: Db, job: QueueJob): Promise<void> {
  await db.executeSql(
    `
    update ${QUEUE_SCHEMA}.job
    set retry_limit = retry_count
    where name = $1
      and id = $2
      and retry_count = $3
      and state = 'active'`,
    [job.queue, job.id, job.attempt],
  );
}
