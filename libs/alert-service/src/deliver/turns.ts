import { addMs, isAfter } from '@tocsin/alert-model';
import type { Instant } from '@tocsin/alert-model';

/** Furthest into the future that a turn is handed out, in milliseconds; whoever would come later looks in at that time. */
export const turnAheadMaxMs = 600_000;

/**
 * Spreads the messages that wait for one channel, so that they do not all come back at the same moment and find one place
 * for all of them. What one process remembers; several may hand out the same turn, and then one of them waits once more.
 */
export interface Turns {
  /**
   * The next turn of a channel.
   *
   * @param at the first moment at which something may be sent
   * @param everyMs how much later each further message may be sent
   */
  readonly next: (channel: string, at: Instant, everyMs: number, now: Instant) => Instant;
}

/** Begins with no turns handed out. */
export const createTurns = (): Turns => {
  const last = new Map<string, Instant>();
  return {
    next: (channel, at, everyMs, now) => {
      const known = last.get(channel);
      const after = known === undefined ? at : addMs(known, everyMs);
      const furthest = addMs(now, turnAheadMaxMs);
      const turn = isAfter(at, after) ? at : isAfter(after, furthest) ? (isAfter(at, furthest) ? at : furthest) : after;
      last.set(channel, turn);
      return turn;
    },
  };
};
