import { addMs, compareInstants, limitsFor, msBetween } from '@tocsin/alert-model';
import type { Instant, Rule } from '@tocsin/alert-model';
import type { JobSnapshot } from '@tocsin/job-sources';
import { formatDuration } from '@tocsin/runtime';
import { typeKey } from './condition.ts';
import type { SeenCondition } from './condition.ts';

/** Waiting jobs of one type told one by one; beyond, the type is told as a whole: its worker is down, or behind. */
export const stalledPerTypeMax = 20;

export interface StalledLook {
  /** Jobs that wait for longer than the shortest limit, oldest due time first. */
  readonly jobs: readonly JobSnapshot[];
  /** Types of which more wait than are among `jobs`. */
  readonly unread: ReadonlySet<string>;
  readonly readAt: Instant;
  readonly rules: readonly Rule[];
  /** Types of which a job runs, or has ended lately: somebody is at work on them. */
  readonly busy: ReadonlySet<string>;
  /** Types told as a whole before: they go on being so until their queue is worked off. */
  readonly backlogs: ReadonlySet<string>;
}

/**
 * The jobs whose time has come and whom nobody picks up. Where no rule sets a limit, a type somebody works at is not
 * stalled, however long its queue: then nobody is missing, there is just much to do. Pure.
 */
export const judgeStalled = (look: StalledLook): readonly SeenCondition[] => {
  const stalled = look.jobs.flatMap((job): SeenCondition[] => {
    const { stalledAfterMs, stalledRule } = limitsFor(look.rules, job);
    const { dueAt } = job;
    if (dueAt === null || stalledAfterMs === null) return [];
    if (stalledRule === null && look.busy.has(typeKey(job))) return [];
    const waitedMs = msBetween(dueAt, look.readAt);
    if (waitedMs <= stalledAfterMs) return [];
    const what = (job.attempts ?? 0) > 0 ? 'Its next attempt has been due' : 'It has been due';
    return [
      {
        kind: 'stalled',
        jobId: job.id,
        at: dueAt,
        source: job.source,
        jobType: job.jobType,
        targetId: job.targetId,
        run: job.run,
        attempts: job.attempts,
        maxAttempts: job.maxAttempts,
        failedAt: addMs(dueAt, stalledAfterMs),
        words:
          `${what} for ${formatDuration(waitedMs)} and nobody has picked it up; jobs of this type may wait for ` +
          `${formatDuration(stalledAfterMs)} (${stalledRule ?? 'default'}).`,
        notes: [],
        facts: { dueAt, limitMs: stalledAfterMs, rule: stalledRule },
      },
    ];
  });
  const byType = Map.groupBy(stalled, typeKey);
  return [...byType].flatMap(([type, jobs]) =>
    jobs.length <= stalledPerTypeMax && !look.backlogs.has(type)
      ? jobs
      : [asBacklog(jobs, look.unread.has(type), look.readAt)],
  );
};

/** Many waiting jobs of one type as one condition. */
const asBacklog = (jobs: readonly SeenCondition[], more: boolean, readAt: Instant): SeenCondition => {
  const oldest = jobs.toSorted((a, b) => compareInstants(a.failedAt, b.failedAt))[0] as SeenCondition;
  const waitedMs = msBetween(String(oldest.at), readAt);
  return {
    ...oldest,
    jobId: `type:${oldest.source}/${oldest.jobType}`,
    targetId: null,
    run: null,
    attempts: null,
    maxAttempts: null,
    words:
      `${more ? 'More than ' : ''}${jobs.length} ${oldest.source}/${oldest.jobType} jobs wait and no worker picks them up; the oldest has been ` +
      `due for ${formatDuration(waitedMs)}. Is its worker running?`,
    facts: { ...oldest.facts, jobs: jobs.length },
  };
};
