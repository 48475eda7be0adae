import { compareInstants, limitsFor, msBetween } from '@tocsin/alert-model';
import type { Instant, Rule, StuckLimit } from '@tocsin/alert-model';
import { detailsOfSnapshot } from '@tocsin/job-sources';
import type { JobSnapshot } from '@tocsin/job-sources';
import { formatDuration } from '@tocsin/runtime';
import { typeKey } from './condition.ts';
import type { SeenCondition } from './condition.ts';
import { signOfLife, silentSince } from './sights.ts';

/** Fewer past runs than this teach nothing. */
const samplesMin = 20;
/** What is allowed to a job without heartbeats as long as nothing was learned, in milliseconds. */
const unknownLimitMs = 86_400_000;
/** Longest time for which a job must stay silent before our eyes before it is called stuck, in milliseconds. */
const confirmMaxMs = 15_000;

/** How long jobs of one type took. */
export interface LearnedDuration {
  readonly samples: number;
  readonly p99Ms: number;
}

export interface StuckLook {
  readonly jobs: readonly JobSnapshot[];
  readonly readAt: Instant;
  readonly rules: readonly Rule[];
  readonly learned: ReadonlyMap<string, LearnedDuration>;
  /** For how long the job has been silent before our eyes, in milliseconds. */
  readonly unchangedMs: (jobId: string) => number;
  /** By how much workers' clocks are known to be behind, in milliseconds. */
  readonly behindMs: number;
  /** Literal secrets, replaced in what the row says. Default: none. */
  readonly secrets?: readonly string[];
}

/** A running job that is silent for too long. */
export interface StuckJob {
  readonly job: JobSnapshot;
  readonly condition: SeenCondition;
  /** It was silent before our eyes, too, so that a clock that is behind is no reason to call it stuck. */
  readonly confirmed: boolean;
  readonly byHeartbeat: boolean;
}

interface Breach {
  readonly sign: Instant;
  readonly silentMs: number;
  readonly limitMs: number;
  readonly words: string;
  readonly byHeartbeat: boolean;
  /** No clock can be to blame. */
  readonly certain: boolean;
}

/** The running jobs that show no sign of life for longer than the rule for their type allows. Pure. */
export const judgeStuck = (look: StuckLook): readonly StuckJob[] =>
  look.jobs.flatMap((job): StuckJob[] => {
    const { stuckAfter, stuckRule } = limitsFor(look.rules, job);
    const breach = breachOf(job, stuckAfter, stuckRule, look);
    if (breach === null) return [];
    const condition: SeenCondition = {
      kind: 'stuck',
      jobId: job.id,
      at: breach.sign,
      source: job.source,
      jobType: job.jobType,
      targetId: job.targetId,
      run: job.run,
      attempts: job.attempts,
      maxAttempts: job.maxAttempts,
      failedAt: silentSince(breach.sign, breach.limitMs),
      words: breach.words,
      notes: progressNotes(job),
      facts: { sign: breach.sign, limitMs: breach.limitMs, rule: stuckRule },
      details: detailsOfSnapshot(job, look.secrets ?? []),
    };
    const confirmed = breach.certain || look.unchangedMs(job.id) >= Math.min(confirmMaxMs, breach.limitMs / 10);
    return [{ job, condition, confirmed, byHeartbeat: breach.byHeartbeat }];
  });

const breachOf = (job: JobSnapshot, limit: StuckLimit, rule: string, look: StuckLook): Breach | null => {
  if (limit.mode === 'off') return null;
  const sign = signOfLife(job);
  if (sign === null) return null;
  const beats = job.heartbeatAt !== null;
  if (limit.mode === 'auto') return autoBreach(job, sign, beats, limit, rule, look);
  const { heartbeatMs, updateMs } = limit;
  if (!beats) {
    const limitMs = updateMs ?? heartbeatMs;
    return limitMs === null
      ? null
      : breach(job, sign, limitMs, look, false, (silent) => `No sign of life for ${silent}; ${allowed(limitMs, rule)}`);
  }
  const bySilence =
    heartbeatMs === null
      ? null
      : breach(
          job,
          sign,
          heartbeatMs,
          look,
          true,
          (silent) => `No heartbeat for ${silent}; ${allowed(heartbeatMs, rule)}`,
        );
  if (bySilence !== null || updateMs === null) return bySilence;
  return standstill(job, updateMs, rule, look);
};

/** A job that beats and yet stands still. Both times are its worker's, so its clock does not matter. */
const standstill = (job: JobSnapshot, limitMs: number, rule: string, look: StuckLook): Breach | null => {
  const moved = lastMove(job);
  if (moved === null || job.heartbeatAt === null) return null;
  const seenMs = msBetween(moved, job.heartbeatAt);
  const silentMs = Math.max(seenMs, msBetween(moved, look.readAt) - look.behindMs);
  if (silentMs <= limitMs) return null;
  return {
    sign: moved,
    silentMs,
    limitMs,
    byHeartbeat: false,
    certain: seenMs > limitMs,
    words:
      `It beats, but nothing about it has changed for ${formatDuration(silentMs)}; jobs of this type may stand still for ` +
      `${formatDuration(limitMs)} (${rule}).`,
  };
};

/** When a job that beats last moved: a process may beat for a job that hangs. */
const lastMove = ({ changedAt, startedAt }: JobSnapshot): Instant | null =>
  changedAt === null || (startedAt !== null && compareInstants(startedAt, changedAt) > 0) ? startedAt : changedAt;

const autoBreach = (
  job: JobSnapshot,
  sign: Instant,
  beats: boolean,
  { factor, floorMs }: Extract<StuckLimit, { mode: 'auto' }>,
  rule: string,
  look: StuckLook,
): Breach | null => {
  if (beats)
    return breach(job, sign, floorMs, look, true, (silent) => `No heartbeat for ${silent}; ${allowed(floorMs, rule)}`);
  const learned = look.learned.get(typeKey(job));
  const known = learned !== undefined && learned.samples >= samplesMin ? learned : null;
  const limitMs = known === null ? Math.max(unknownLimitMs, floorMs) : Math.max(floorMs, known.p99Ms * factor);
  const why =
    known === null
      ? `too few earlier runs tell how long this takes, so ${formatDuration(limitMs)} are allowed (${rule}, auto).`
      : `of ${known.samples} earlier runs 99 % took at most ${formatDuration(known.p99Ms)}, so ` +
        `${formatDuration(limitMs)} are allowed (${rule}, auto).`;
  return breach(job, sign, limitMs, look, false, (silent) => `No sign of life for ${silent}; ${why}`);
};

const breach = (
  job: JobSnapshot,
  sign: Instant,
  limitMs: number,
  { readAt, behindMs, unchangedMs }: StuckLook,
  byHeartbeat: boolean,
  words: (silent: string) => string,
): Breach | null => {
  // Its own word, corrected by what is known of the clocks; but never less than what we have seen ourselves.
  const silentMs = Math.max(msBetween(sign, readAt) - behindMs, unchangedMs(job.id));
  return silentMs <= limitMs
    ? null
    : { sign, silentMs, limitMs, byHeartbeat, certain: false, words: words(formatDuration(silentMs)) };
};

const allowed = (limitMs: number, rule: string): string =>
  `jobs of this type may be silent for ${formatDuration(limitMs)} (${rule}).`;

/** What it was at, where the table says so. */
const progressNotes = ({ stage, progress }: JobSnapshot): readonly string[] =>
  stage === null && progress === null
    ? []
    : [`It was at ${[stage, progress === null ? null : `${progress} %`].filter((part) => part !== null).join(', ')}.`];
