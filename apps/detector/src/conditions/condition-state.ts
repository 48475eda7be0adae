import { createLearnedDurations } from './learn-durations.ts';
import type { LearnedDurations } from './learn-durations.ts';
import { createSights } from './sights.ts';
import type { Sights } from './sights.ts';
import type { Instant } from '@tocsin/alert-model';

/** What a detector remembers of the conditions of one table between two looks. Losing it costs looking again. */
export interface ConditionState {
  /** When the next look is due, in monotonic milliseconds. */
  dueMs: number;
  /** When a poll last looked, in monotonic milliseconds. */
  ranAtMs: number;
  /** When it was last seen that no condition is open, in monotonic milliseconds; null while one may be. */
  noneOpenSinceMs: number | null;
  readonly sights: Sights;
  readonly learned: LearnedDurations;
  /** By schedule: before that instant nothing can change for the worse. */
  readonly schedules: Map<string, { readonly knownSince: Instant; readonly nextLookAt: Instant }>;
  /** When the changes of the table are to be counted next, in monotonic milliseconds. */
  activityDueMs: number;
  /** Since when the table could not be read; null while it can. Monotonic, and by our own clock for the message. */
  unreadableSinceMs: number | null;
  /** Whether somebody was told that it cannot be read. */
  unreadableTold: boolean;
}

export const newConditionState = (): ConditionState => ({
  dueMs: Number.NEGATIVE_INFINITY,
  ranAtMs: Number.NEGATIVE_INFINITY,
  noneOpenSinceMs: null,
  sights: createSights(),
  learned: createLearnedDurations(),
  schedules: new Map(),
  activityDueMs: Number.NEGATIVE_INFINITY,
  unreadableSinceMs: null,
  unreadableTold: false,
});
