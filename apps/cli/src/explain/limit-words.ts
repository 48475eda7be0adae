import { addMs } from '@tocsin/alert-model';
import type { Instant, RuleLimits, StuckAction } from '@tocsin/alert-model';
import { formatDuration } from '@tocsin/runtime';

/**
 * From when on a running job counts as stuck, and which rule says so: `it counts as stuck when there is no heartbeat for
 * 15 min, or no other change for 5 min (rules[0])`.
 *
 * @param beats whether the job writes heartbeats
 */
export const stuckWords = (
  { stuckAfter, stuckRule }: Pick<RuleLimits, 'stuckAfter' | 'stuckRule'>,
  beats: boolean,
): string => {
  const when = (words: string): string => `it counts as stuck when there is ${words} (${stuckRule})`;
  switch (stuckAfter.mode) {
    case 'off':
      return `it may be silent for ever (${stuckRule})`;
    case 'auto': {
      const { factor, floorMs } = stuckAfter;
      return beats
        ? when(`no heartbeat for ${formatDuration(floorMs)}`)
        : `it counts as stuck after ${factor} times what 99 of 100 earlier runs took, at least ${formatDuration(floorMs)}, or after a day while there are too few to learn from (${stuckRule})`;
    }
    case 'fixed': {
      const { heartbeatMs, updateMs } = stuckAfter;
      if (!beats) {
        const limitMs = updateMs ?? heartbeatMs;
        return limitMs === null
          ? `it may be silent for ever (${stuckRule})`
          : when(`no sign of life for ${formatDuration(limitMs)}`);
      }
      const limits = [
        ...(heartbeatMs === null ? [] : [`no heartbeat for ${formatDuration(heartbeatMs)}`]),
        ...(updateMs === null ? [] : [`no other change for ${formatDuration(updateMs)}`]),
      ];
      return when(limits.join(', or '));
    }
    default:
      return stuckAfter satisfies never;
  }
};

/** From when on a waiting job counts as stalled: `it counts as stalled after 1 h (default)`. */
export const stalledWords = ({
  stalledAfterMs,
  stalledRule,
}: Pick<RuleLimits, 'stalledAfterMs' | 'stalledRule'>): string =>
  stalledAfterMs === null
    ? `it may wait for ever (${stalledRule ?? 'default'})`
    : `it counts as stalled after ${formatDuration(stalledAfterMs)} (${stalledRule ?? 'default'})`;

/**
 * When a running job will count as stuck if it shows no further sign of life; null where that is learned from other jobs, or
 * never. A job with heartbeats may count as stuck before, for want of progress.
 */
export const stuckAt = (
  { stuckAfter }: Pick<RuleLimits, 'stuckAfter'>,
  { heartbeatAt, changedAt }: { readonly heartbeatAt: Instant | null; readonly changedAt: Instant | null },
): Instant | null => {
  switch (stuckAfter.mode) {
    case 'off':
      return null;
    case 'auto':
      return heartbeatAt === null ? null : addMs(heartbeatAt, stuckAfter.floorMs);
    case 'fixed': {
      const { heartbeatMs, updateMs } = stuckAfter;
      const lastAt = heartbeatAt ?? changedAt;
      const limitMs = heartbeatAt === null ? (updateMs ?? heartbeatMs) : heartbeatMs;
      return lastAt === null || limitMs === null ? null : addMs(lastAt, limitMs);
    }
    default:
      return stuckAfter satisfies never;
  }
};

/** What the janitor would do about a stuck job; null when nothing. */
export const janitorWords = (action: StuckAction): string | null => {
  switch (action.action) {
    case 'alert':
      return null;
    case 'mark_dead':
      return 'marks it dead';
    case 'requeue':
      return `puts it back into the queue if its checkpoint is valid, at most ${action.restartsMax} times`;
    default:
      return action satisfies never;
  }
};
