import type { Db } from 'pg-boss';
import { QUEUE_SCHEMA } from './queue-settings.ts';
import type { QueueName } from './queue.ts';

/** Claims taken back by one statement; the rest follow with the next run. */
const RECLAIM_JOBS_MAX = 1_000;

/**
 * Makes due again, at once, every job of `queues` whose worker has stopped renewing its claim. Returns how many.
 *
 * pg-boss does the same in its supervision, but only every minute here, because that pass also counts the whole table,
 * and with a pause before the retry. Jobs without attempts left are left to pg-boss, which moves them to the dead
 * letters. Rows locked by a handler that is committing are skipped: they are not lost. The stale worker is kept out by
 * the attempt number, which the next claim raises because `started_on` stays set.
 */
export async function reclaimLostClaims(db: Db, queues: readonly QueueName[]): Promise<number> {
  const { rows } = await db.executeSql(
    `
    with lost as (
      select name, id
      from ${QUEUE_SCHEMA}.job
      where name = any($1::text[])
        and state = 'active'
        and retry_count < retry_limit
        and (
          heartbeat_on + heartbeat_seconds * interval '1s' < ${QUEUE_SCHEMA}.job_now()
          or started_on + expire_seconds * interval '1s' < ${QUEUE_SCHEMA}.job_now()
        )
      limit ${RECLAIM_JOBS_MAX}
      for update skip locked
    )
    update ${QUEUE_SCHEMA}.job
    set state = 'retry',
      start_after = ${QUEUE_SCHEMA}.job_now(),
      heartbeat_on = null
    from lost
    where job.name = lost.name
      and job.id = lost.id
    returning job.id`,
    [queues],
  );
  return rows.length;
}
