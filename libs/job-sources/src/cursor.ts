import { addMs, compareInstants } from '@tocsin/alert-model';
import type { Instant } from '@tocsin/alert-model';

/** How far behind the safe point a cursor stays by default, in milliseconds, when every running writer can be seen. */
export const overlapDefaultMs = 10_000;
/** The same when writers of other roles cannot be seen: their transactions are assumed to be shorter than this. */
export const blindOverlapMs = 60_000;
/** A writer older than this no longer holds the cursor, in milliseconds; what it commits is found by the reconcile. */
export const heldByWriterMaxMs = 3_600_000;

/** What a statement saw of time and of other transactions, at its own beginning. */
export interface Horizon {
  /** The database's clock. */
  readonly readAt: Instant;
  /** When the oldest running transaction that has written began; null when there is none. */
  readonly oldestWriterAt: Instant | null;
}

/**
 * Where a cursor may stand after a read: rows changed before it need not be read again.
 *
 * `before` must be the horizon of an EARLIER statement than the read. A writer that commits between the snapshot of the
 * read and its look at the running transactions is in neither; seen from one statement before, it is either among the
 * writers then, or it began later than that statement.
 *
 * @param current where it stands; it never goes back
 * @param before null when there was no earlier statement: the cursor stays
 * @param reached change time of the last row, when the read ended at its limit; null when it read all there was
 * @param overlapMs kept behind for what else comes late: `overlapDefaultMs`, or `blindOverlapMs` where not all writers are seen
 */
export const advanceCursor = (
  current: Instant,
  before: Horizon | null,
  reached: Instant | null,
  overlapMs: number,
): Instant => {
  if (before === null) return current;
  const oldestHeld = addMs(before.readAt, -heldByWriterMaxMs);
  const writer = before.oldestWriterAt;
  const held = writer === null || compareInstants(writer, oldestHeld) < 0 ? before.readAt : writer;
  const safe = earlier(earlier(before.readAt, held), reached ?? before.readAt);
  const next = addMs(safe, -overlapMs);
  return compareInstants(next, current) > 0 ? next : current;
};

const earlier = (a: Instant, b: Instant): Instant => (compareInstants(a, b) <= 0 ? a : b);
