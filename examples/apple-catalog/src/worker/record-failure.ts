import type { Pool } from 'pg';
import type { Job } from './job.ts';

const errorCharsMax = 4000;
const stackLinesMax = 4;
const causesMax = 3;

/**
 * Writes down that an attempt failed: the job waits for its next attempt, or has failed for good after its last one.
 * Undefined when the row is no longer this worker's.
 *
 * @param backoffMs the pause before the second attempt; before the third it is twice as long.
 */
export async function recordFailure(
  db: Pool,
  job: Job,
  error: unknown,
  backoffMs: number,
): Promise<'pending' | 'failed' | undefined> {
  const result = await db.query<{ status: 'pending' | 'failed' }>(
    `update public.research_jobs
     set
       status = case when attempts < max_attempts then 'pending' else 'failed' end,
       error = $3,
       run_after = case when attempts < max_attempts then now() + $4 * interval '1 millisecond' else run_after end,
       finished_at = case when attempts < max_attempts then null else now() end,
       updated_at = now()
     where id = $1 and status = 'running' and attempts = $2
     returning status`,
    [job.id, job.attempts, describeError(error), backoffMs * job.attempts],
  );
  return result.rows[0]?.status;
}

/** What a worker writes into its error column: the message, the causes, and where it was thrown. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, errorCharsMax);
  const lines = [`${error.name}: ${error.message}`];
  let cause = error.cause;
  for (let depth = 0; depth < causesMax && cause instanceof Error; depth += 1) {
    lines.push(`caused by ${cause.name}: ${cause.message}`);
    cause = cause.cause;
  }
  // The message may itself have several lines, so the frames are recognised by how V8 writes them.
  const frames = (error.stack ?? '').split('\n').filter((line) => /^ {4}at /.test(line));
  lines.push(...frames.slice(0, stackLinesMax));
  return lines.join('\n').slice(0, errorCharsMax);
}
