import { InvariantError } from '@tocsin/runtime';
import type { JobInsert } from 'pg-boss';
import type { Enqueue, QueueName } from './queue.ts';
import { storableJson } from './storable-json.ts';

/** Jobs in one call of `enqueue`. A scan sends at most a few hundred; more is a loop that has lost its way. */
export const ENQUEUE_JOBS_MAX = 10_000;
/** Length of one job's payload as JSON. 500 signals with shortened texts take about a tenth of it. */
export const PAYLOAD_CHARS_MAX = 4_000_000;

/** A zone is required, because a date time without one would be read in the time zone of the database session. */
const UTC_INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?Z$/;

/** Checks the jobs of one `enqueue` and groups them by queue, each id once. Throws InvariantError naming the job that is wrong. */
export function toInserts(
  jobs: readonly Enqueue[],
  claimSeconds: number | undefined,
): ReadonlyMap<QueueName, JobInsert<object>[]> {
  if (jobs.length > ENQUEUE_JOBS_MAX) {
    throw new InvariantError(
      `${jobs.length} jobs in one enqueue; at most ${ENQUEUE_JOBS_MAX} are allowed, send fewer.`,
    );
  }
  const inserts = new Map<QueueName, JobInsert<object>[]>();
  const ids = new Set<string>();
  for (const job of jobs) {
    if (job.id !== undefined && ids.has(job.id)) continue;
    if (job.id !== undefined) ids.add(job.id);
    const rows = inserts.get(job.queue) ?? [];
    inserts.set(job.queue, rows);
    rows.push({
      data: storableData(job),
      ...(job.id === undefined ? {} : { id: job.id }),
      ...(job.startAfter === undefined ? {} : { startAfter: utcInstant(job.startAfter) }),
      ...(claimSeconds === undefined ? {} : { heartbeatSeconds: claimSeconds }),
    });
  }
  return inserts;
}

function storableData(job: Enqueue): object {
  if (job.data === undefined) throw new InvariantError(`A job of queue ${job.queue} has no data; give it a payload.`);
  const { value, text } = storableJson(job.data);
  if (text.length > PAYLOAD_CHARS_MAX) {
    throw new InvariantError(
      `A job of queue ${job.queue} has a payload of ${text.length} characters; at most ${PAYLOAD_CHARS_MAX} are allowed, ` +
        'shorten its texts or split it.',
    );
  }
  return value as object;
}

function utcInstant(startAfter: string): string {
  if (!UTC_INSTANT.test(startAfter)) {
    throw new InvariantError(
      `startAfter is ${JSON.stringify(startAfter)}; write a UTC instant like 2026-01-31T03:00:00.000Z.`,
    );
  }
  return startAfter;
}
