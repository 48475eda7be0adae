import { addMs, compareInstants, msBetween } from '@tocsin/alert-model';
import type { ChainPolicy, Instant, SchedulePolicy, Step } from '@tocsin/alert-model';
import { formatDuration, nextDue, previousDue } from '@tocsin/runtime';
import type { SeenCondition } from './condition.ts';
import { shortInstant } from './judge-end.ts';

/** A success may be dated so much before it was due, in milliseconds: the clocks of worker and scheduler differ. */
const earlyTolerableMs = 60_000;

/** One piece of the work that a schedule expects. */
export interface ScheduledWork {
  readonly jobType: string;
  readonly target: { readonly id: string | null } | 'any';
  /** As it is named in messages. */
  readonly step: Step;
}

/** What a schedule expects: the steps of its chain, or its job type. Empty when its chain is not configured. */
export const workOf = ({ source, work }: SchedulePolicy, chains: readonly ChainPolicy[]): readonly ScheduledWork[] => {
  if (!('chain' in work))
    return [
      {
        jobType: work.jobType,
        target: work.targetId === null ? 'any' : { id: work.targetId },
        step: { jobType: work.jobType, targetId: work.targetId },
      },
    ];
  const chain = chains.find(({ name, source: of }) => name === work.chain && of === source);
  return (chain?.steps ?? []).flatMap(({ jobType, targets }): ScheduledWork[] =>
    targets === null
      ? [{ jobType, target: 'any', step: { jobType, targetId: null } }]
      : targets.map((targetId) => ({ jobType, target: { id: targetId }, step: { jobType, targetId } })),
  );
};

export interface ScheduleLook {
  readonly readAt: Instant;
  /** When this schedule was first looked at. */
  readonly knownSince: Instant;
  /** Latest success of each piece of work, in the order of `workOf`; null where there is none in the table. */
  readonly lastSuccesses: readonly (Instant | null)[];
  /** Whether a job of it runs now. */
  readonly running: boolean;
}

export interface ScheduleVerdict {
  /** Null while it is on time. */
  readonly overdue: SeenCondition | null;
  /** When the whole of it last succeeded since it was due; null when it has not. */
  readonly succeededAt: Instant | null;
  /** Before this instant nothing can change for the worse. */
  readonly nextLookAt: Instant;
}

/**
 * Whether expected work is overdue: each piece of it must have succeeded since it was last due, or within the longest time
 * allowed. A success counts by its end. Work that never succeeded is overdue from the first due time after Tocsin came
 * to know of the schedule, so that a fresh installation does not begin with a false alarm. Pure.
 */
export const judgeSchedule = (
  schedule: SchedulePolicy,
  works: readonly ScheduledWork[],
  look: ScheduleLook,
): ScheduleVerdict => {
  const { readAt, knownSince, lastSuccesses } = look;
  const { due, graceMs } = schedule;
  const oldest = lastSuccesses.reduce<Instant | null>(
    (first, at) => (first === null || at === null ? null : compareInstants(at, first) < 0 ? at : first),
    lastSuccesses[0] ?? null,
  );
  const newest =
    lastSuccesses
      .flatMap((at) => at ?? [])
      .toSorted(compareInstants)
      .at(-1) ?? null;
  if (due.kind === 'every') {
    const expectedAt = addMs(oldest ?? knownSince, due.everyMs);
    const lateAt = addMs(expectedAt, graceMs);
    const isLate = compareInstants(readAt, lateAt) > 0;
    const words = `Expected at least every ${formatDuration(due.everyMs)}`;
    return {
      overdue: isLate ? overdueOf(schedule, works, look, expectedAt, words) : null,
      succeededAt: isLate ? null : oldest,
      nextLookAt: isLate ? readAt : lateAt,
    };
  }
  const expected = previousDue(due.expression, due.timeZone, addMs(readAt, -graceMs));
  const next = nextDue(due.expression, due.timeZone, addMs(readAt, -graceMs));
  const nextLookAt = next === null ? addMs(readAt, 86_400_000) : addMs(next, graceMs);
  if (expected === null) return { overdue: null, succeededAt: null, nextLookAt };
  const since = addMs(expected, -Math.min(earlyTolerableMs, graceMs));
  if (oldest !== null && compareInstants(oldest, since) > 0) return { overdue: null, succeededAt: newest, nextLookAt };
  if (newest === null && compareInstants(expected, knownSince) < 0)
    return { overdue: null, succeededAt: null, nextLookAt };
  const words = `Expected by ${inZone(expected, due.timeZone)}`;
  return { overdue: overdueOf(schedule, works, look, expected, words), succeededAt: null, nextLookAt: readAt };
};

const overdueOf = (
  schedule: SchedulePolicy,
  works: readonly ScheduledWork[],
  { readAt, lastSuccesses, running }: ScheduleLook,
  expectedAt: Instant,
  expectation: string,
): SeenCondition => {
  const late = works.filter((_, n) => {
    const at = lastSuccesses[n] ?? null;
    return at === null || compareInstants(at, expectedAt) <= 0;
  });
  const first = (late[0] ?? works[0] ?? { step: { jobType: schedule.name, targetId: null } }).step;
  const last = lastSuccesses
    .flatMap((at) => at ?? [])
    .toSorted(compareInstants)
    .at(-1);
  const lateMs = msBetween(expectedAt, readAt);
  return {
    kind: 'overdue',
    jobId: `schedule:${schedule.name}`,
    at: expectedAt,
    source: schedule.source,
    jobType: first.jobType,
    targetId: first.targetId,
    run: null,
    attempts: null,
    maxAttempts: null,
    failedAt: addMs(expectedAt, schedule.graceMs),
    words:
      `${expectation}${schedule.graceMs === 0 ? '' : `, with ${formatDuration(schedule.graceMs)} of grace`}; ` +
      `it is ${formatDuration(lateMs)} late. ` +
      (last === undefined
        ? 'No success of it is in the table: was it ever enqueued?'
        : `The last success was at ${shortInstant(last)}.`),
    notes: [
      ...(works.length > 1 && late.length < works.length
        ? [
            `Still missing: ${late.map(({ step }) => [step.jobType, step.targetId].filter(Boolean).join('/')).join(', ')}.`,
          ]
        : []),
      running ? 'A job of it is running now.' : 'No job of it is running.',
    ],
    facts: { expectedAt, schedule: schedule.name },
  };
};

/** The wall clock of a zone, as its people read it: `Mon, 23 Nov 2026, 03:00 Europe/Berlin`. */
const inZone = (at: Instant, timeZone: string): string =>
  `${new Intl.DateTimeFormat('en-GB', {
    timeZone,
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
  }).format(new Date(at))} ${timeZone}`;
