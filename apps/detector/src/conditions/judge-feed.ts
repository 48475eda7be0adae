import { compareInstants } from '@tocsin/alert-model';
import type { Instant } from '@tocsin/alert-model';
import { formatDuration } from '@tocsin/runtime';
import type { SeenCondition } from './condition.ts';
import { shortInstant } from './judge-end.ts';
import type { StuckJob } from './judge-stuck.ts';
import type { ClockEvidence } from './sights.ts';

/** Fewer running jobs with heartbeats may all be stuck by chance. */
export const heartbeatsMin = 5;
/** Days of which the same hour must be known before an hour is compared. */
const daysMin = 5;
/** Hours with fewer changes than this vary too much to be compared. */
const changesMin = 200;
/** So many times more or less than usual is far from it. */
const farFactor = 10;

/** Why a watched table cannot be judged. */
export type FeedReason = 'unreadable' | 'heartbeats' | 'clock' | 'volume';

/** The condition that a watched table cannot be judged, for one reason. */
export const unhealthy = (
  table: string,
  reason: FeedReason,
  since: Instant,
  words: string,
  notes: readonly string[] = [],
): SeenCondition => ({
  kind: 'unhealthy',
  jobId: `table:${reason}`,
  at: since,
  source: 'tocsin',
  jobType: 'watch_table',
  targetId: table,
  run: null,
  attempts: null,
  maxAttempts: null,
  failedAt: since,
  words,
  notes,
  facts: { reason },
});

/**
 * Whether every job that beats has fallen silent: then their workers, their host or their clock is to blame, and one
 * message says so instead of one for each. Pure.
 *
 * @param beating running jobs with a heartbeat that are judged by it
 */
export const judgeHeartbeats = (table: string, beating: number, stuck: readonly StuckJob[]): SeenCondition | null => {
  const silent = stuck.filter(({ byHeartbeat }) => byHeartbeat);
  if (beating < heartbeatsMin || silent.length < beating) return null;
  const newest = silent
    .flatMap(({ condition }) => condition.at ?? [])
    .toSorted(compareInstants)
    .at(-1);
  const failedAt = silent.map(({ condition }) => condition.failedAt).toSorted(compareInstants)[0];
  if (newest === undefined || failedAt === undefined) return null;
  return {
    ...unhealthy(
      table,
      'heartbeats',
      newest,
      `All ${silent.length} running jobs that send heartbeats have fallen silent; the last heartbeat was at ${shortInstant(newest)}. ` +
        'Look at the workers and their host before you look at single jobs.',
      ['As long as this lasts, the jobs are not told one by one.'],
    ),
    failedAt,
  };
};

/** Whether the clocks of workers are wrong by minutes, as far as their times in the table show it. Pure. */
export const judgeClocks = (
  table: string,
  { behindMs, aheadMs }: ClockEvidence,
  readAt: Instant,
): SeenCondition | null => {
  if (behindMs === 0 && aheadMs === 0) return null;
  const [byMs, where] = aheadMs >= behindMs ? [aheadMs, 'ahead of'] : [behindMs, 'behind'];
  return unhealthy(
    table,
    'clock',
    readAt,
    `The clock of a worker is at least ${formatDuration(byMs)} ${where} the database's clock, so its times cannot be relied upon. ` +
      'Set the clocks (NTP).',
    ['Failures are told all the same; silence is judged by what is seen to change.'],
  );
};

/** Changes of a table in one hour. */
export interface HourOfChanges {
  readonly hour: Instant;
  readonly changes: number;
}

/**
 * Whether an hour saw far more or far fewer changes than the same hour of the days before. Pure.
 *
 * @param days the same hour of past days
 */
export const judgeVolume = (
  table: string,
  { hour, changes }: HourOfChanges,
  days: readonly number[],
): SeenCondition | null => {
  if (days.length < daysMin) return null;
  const usual = days.toSorted((a, b) => a - b)[Math.floor(days.length / 2)] ?? 0;
  const few = usual >= changesMin && changes * farFactor < usual;
  const many = changes >= changesMin && changes > usual * farFactor;
  if (!few && !many) return null;
  return unhealthy(
    table,
    'volume',
    hour,
    `The table saw ${changes} changes in the hour from ${shortInstant(hour)}; in the same hour of the last ${days.length} days it was ` +
      `${usual} (median). ${few ? 'Are jobs still being enqueued and worked at?' : 'Is something enqueuing jobs in a loop?'}`,
  );
};
