import { randomUUID } from 'node:crypto';
import type { Pool } from '@tocsin/runtime';

/** The database's clock as Rails writes times: in UTC, without a zone. */
export const databaseNow = "timezone('UTC', clock_timestamp())";

interface Job {
  readonly id: string;
  readonly activeJobId: string;
}

/** State changes as Solid Queue 1.5.0 writes them (app/models/solid_queue/…). */
export const solidQueueChanges = (pool: Pool) => {
  /** `Job.enqueue` (job.rb, job/executable.rb): the job, and a ready execution. */
  const enqueue = async (
    className = 'InvoiceJob',
    { activeJobId = randomUUID() as string, executions = 0, argument = 7 as unknown } = {},
  ): Promise<Job> => {
    const { rows } = await pool.query<{ id: string }>(
      `insert into public.solid_queue_jobs (queue_name, class_name, arguments, active_job_id, scheduled_at, created_at, updated_at)
       values ('billing', $1, $2, $3, ${databaseNow}, ${databaseNow}, ${databaseNow})
       returning id::text`,
      [
        className,
        JSON.stringify({
          job_class: className,
          job_id: activeJobId,
          provider_job_id: null,
          queue_name: 'billing',
          priority: null,
          arguments: [argument],
          executions,
          exception_executions: executions === 0 ? {} : { '[Net::ReadTimeout]': executions },
          locale: 'en',
          timezone: 'UTC',
        }),
        activeJobId,
      ],
    );
    const id = rows[0]?.id ?? '';
    await dispatch(id);
    return { id, activeJobId };
  };

  const dispatch = (id: string) =>
    pool.query(
      `insert into public.solid_queue_ready_executions (job_id, queue_name, priority, created_at)
       select id, queue_name, priority, ${databaseNow} from public.solid_queue_jobs where id = $1`,
      [id],
    );

  const startProcess = async (): Promise<string> => {
    const { rows } = await pool.query<{ id: string }>(
      `insert into public.solid_queue_processes (kind, last_heartbeat_at, pid, hostname, metadata, created_at, name)
       values ('Worker', ${databaseNow}, 4711, 'web-1', '{}', ${databaseNow}, $1)
       returning id::text`,
      [`worker-${randomUUID()}`],
    );
    return rows[0]?.id ?? '';
  };

  /** `ReadyExecution.claim`, `ClaimedExecution.claiming`. */
  const claim = async (id: string, processId: string | null = null): Promise<void> => {
    await pool.query(
      `insert into public.solid_queue_claimed_executions (job_id, process_id, created_at) values ($1, $2, ${databaseNow})`,
      [id, processId],
    );
    await pool.query('delete from public.solid_queue_ready_executions where job_id = $1', [id]);
  };

  /** `ClaimedExecution#finalize`: what is done, and the claim deleted, in one transaction. */
  const finalize = async (id: string, statement: string, values: readonly unknown[] = []): Promise<void> => {
    const client = await pool.connect();
    try {
      await client.query('begin');
      await client.query('select id from public.solid_queue_claimed_executions where job_id = $1 for update', [id]);
      await client.query(statement, [id, ...values]);
      await client.query('delete from public.solid_queue_claimed_executions where job_id = $1', [id]);
      await client.query('commit');
    } finally {
      client.release();
    }
  };

  /** `Job#finished!` */
  const finish = (id: string): Promise<void> =>
    finalize(
      id,
      `update public.solid_queue_jobs set finished_at = ${databaseNow}, updated_at = ${databaseNow} where id = $1`,
    );

  /** `Job#failed_with` (job/retryable.rb, failed_execution.rb). */
  const fail = (id: string, message = 'too slow', exceptionClass = 'Net::ReadTimeout'): Promise<void> =>
    failWith(
      id,
      JSON.stringify({
        exception_class: exceptionClass,
        message,
        backtrace: ["app/jobs/invoice_job.rb:7:in 'perform'"],
      }),
    );

  const failWith = (id: string, error: string | null): Promise<void> =>
    finalize(
      id,
      `insert into public.solid_queue_failed_executions (job_id, error, created_at) values ($1, $2, ${databaseNow})`,
      [error],
    );

  /** `FailedExecution#retry`: counters set back, a ready execution, and the failure deleted. */
  const retry = async (id: string): Promise<void> => {
    await pool.query(
      `update public.solid_queue_jobs
       set arguments = regexp_replace(arguments, '"executions":\\d+,"exception_executions":\\{[^}]*\\}', '"executions":0,"exception_executions":{}'),
         updated_at = ${databaseNow}
       where id = $1`,
      [id],
    );
    await dispatch(id);
    await pool.query('delete from public.solid_queue_failed_executions where job_id = $1', [id]);
  };

  /** `Execution#discard` */
  const discard = (id: string) => pool.query('delete from public.solid_queue_jobs where id = $1', [id]);

  /** What `retry_on` makes of a failed try: a new row with the same Active Job id, then the old one is finished. */
  const retryOn = async ({ id, activeJobId }: Job, executions = 1): Promise<Job> => {
    const again = await enqueue('InvoiceJob', { activeJobId, executions });
    await finish(id);
    return again;
  };

  return { enqueue, startProcess, claim, finish, fail, failWith, retry, discard, retryOn };
};
