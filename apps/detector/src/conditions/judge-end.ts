import { compareInstants } from '@tocsin/alert-model';
import type { Instant } from '@tocsin/alert-model';
import type { OpenCondition } from '@tocsin/event-store';
import type { JobSnapshot } from '@tocsin/job-sources';
import type { SeenEnd } from './condition.ts';
import { signOfLife } from './sights.ts';

export interface EndLook {
  readonly readAt: Instant;
  /** Rows of successes are deleted at once in this table. */
  readonly deletesSuccesses: boolean;
  /** The condition was judged to hold in this look. */
  readonly holds: boolean;
}

/**
 * Whether a condition about one job (stuck, stalled) has ended, and how. What ended badly, and what merely went back into
 * the queue, still owes a success; what lives on, was canceled or succeeded does not. Pure.
 *
 * @param job the row as it is now; undefined when it is gone
 */
export const endOfJobCondition = (
  condition: OpenCondition,
  job: JobSnapshot | undefined,
  { readAt, deletesSuccesses, holds }: EndLook,
): SeenEnd | null => {
  if (holds) return null;
  if (job === undefined)
    return deletesSuccesses
      ? { cause: 'vanished', note: 'its row is gone, as after a success in this table', endedAt: readAt }
      : { cause: 'ended', note: 'its row was deleted, which is no success', endedAt: readAt };
  const endedAt = job.finishedAt ?? job.changedAt ?? readAt;
  const seenAt = compareInstants(endedAt, readAt) > 0 ? readAt : endedAt;
  switch (job.state) {
    case 'succeeded':
      return { cause: 'succeeded', note: 'it succeeded after all', endedAt: seenAt };
    case 'failed':
      // Somebody worked at it, and it will be tried again: what waits now is another wait.
      if (condition.kind === 'stalled' && !job.forGood)
        return { cause: 'alive', note: 'it was tried', endedAt: seenAt };
      return { cause: 'ended', note: `it ended as ${job.status}`, endedAt: seenAt };
    case 'dead':
      return { cause: 'ended', note: `it ended as ${job.status}`, endedAt: seenAt };
    case 'canceled':
      return { cause: 'canceled', note: 'it was canceled', endedAt: seenAt };
    case 'running':
      return condition.kind === 'stalled'
        ? {
            cause: 'alive',
            note: 'it was picked up',
            endedAt: job.startedAt === null ? readAt : seenIn(job.startedAt, readAt),
          }
        : endOfSilence(condition, job, readAt);
    case 'waiting':
      return condition.kind === 'stalled'
        ? endOfWaiting(condition, job, readAt)
        : { cause: 'ended', note: 'it was put back into the queue', endedAt: seenAt };
    case 'unknown':
      return { cause: 'ended', note: `its state is now ${job.status}, which is not understood`, endedAt: seenAt };
  }
};

/** Silent no longer: by a sign of life, or because the rule allows more by now. */
const endOfSilence = ({ subject }: OpenCondition, job: JobSnapshot, readAt: Instant): SeenEnd => {
  const sign = signOfLife(job);
  return sign === null || sign === subject.facts['sign']
    ? { cause: 'alive', note: 'its rule allows more time by now', endedAt: readAt }
    : { cause: 'alive', note: `a sign of life at ${shortInstant(sign)}`, endedAt: seenIn(sign, readAt) };
};

const endOfWaiting = ({ subject }: OpenCondition, job: JobSnapshot, readAt: Instant): SeenEnd =>
  job.dueAt !== null && job.dueAt !== subject.facts['dueAt']
    ? { cause: 'alive', note: `it was put off until ${shortInstant(job.dueAt)}`, endedAt: readAt }
    : { cause: 'alive', note: 'its type is being worked at, or its rule allows more time by now', endedAt: readAt };

const seenIn = (at: Instant, readAt: Instant): Instant => (compareInstants(at, readAt) > 0 ? readAt : at);

/** To the second, for people: `2026-11-23 03:05:07 UTC`. */
export const shortInstant = (at: Instant): string => `${at.slice(0, 10)} ${at.slice(11, 19)} UTC`;
