import type { Queryable } from '@tocsin/runtime';
import { idValues } from './id-values.ts';
import type { JobSnapshot } from './job-snapshot.ts';
import type { JobSource } from './job-source.ts';
import { repairStatement, signsOfLife } from './repair-statement.ts';
import type { Repair } from './repair-statement.ts';
import { requireField } from './statement-parts.ts';

/** Longest text written into the error column, in characters. */
const errorWrittenCharsMax = 2_000;

/** A stuck job, and the row as it was when it was judged. */
export interface JobToRepair {
  readonly id: string;
  readonly seen: JobSnapshot;
}

const toDead: Repair = { to: 'dead', set: { error: 'text', finishedAt: 'now', changedAt: 'now' } };
const toWaiting: Repair = {
  to: 'waiting',
  set: { dueAt: 'later', startedAt: 'null', heartbeatAt: 'null', finishedAt: 'null', changedAt: 'now' },
};

/**
 * Marks a running job as dead, unless anything has changed since it was seen: a worker that woke up is never overwritten.
 * Sets status, error, end time and time of change, where these are plain columns. Needs the privilege to update them.
 *
 * @param error why, for the error column
 * @returns whether it was done; false means that the job has changed or is gone
 * @throws TocsinError `JANITOR_UNFIT` for tables that cannot be repaired by changing one row
 */
export const markDead = (
  queryable: Queryable,
  source: JobSource,
  { id, seen, error }: JobToRepair & { readonly error: string },
): Promise<boolean> =>
  repair(queryable, source, toDead, { id, seen }, error.slice(0, errorWrittenCharsMax).toWellFormed());

/**
 * Puts a running job back into the queue, due in `delayMs`, under the same condition and with the same errors. Its start,
 * heartbeat and end are cleared; its attempts stay as they are, and restarts are counted elsewhere.
 */
export const requeue = (
  queryable: Queryable,
  source: JobSource,
  { id, seen, delayMs }: JobToRepair & { readonly delayMs: number },
): Promise<boolean> => repair(queryable, source, toWaiting, { id, seen }, String(Math.max(0, Math.round(delayMs))));

const repair = async (
  queryable: Queryable,
  source: JobSource,
  change: Repair,
  { id, seen }: JobToRepair,
  text: string,
): Promise<boolean> => {
  const statement = repairStatement(source, change);
  if (idValues([id], requireField(source.resolved.id)).length === 0) return false;
  const signs = signsOfLife.map((field) => (seen[field] === null ? null : String(seen[field])));
  const { rowCount } = await queryable.query(statement, [id, ...signs, text]);
  return rowCount === 1;
};
