import type { Instant, JobDetails } from '@tocsin/alert-model';
import type { JobStateName } from './adapter-mapping.ts';
import { countsOf } from './job-details.ts';
import { toName, toNameOrNull } from './job-name.ts';
import { toCount } from './to-count.ts';

/**
 * A job as its row stands. Instants are UTC text with microseconds; null where the table or the row has none, or one
 * that is no usable time.
 */
export interface JobSnapshot {
  readonly id: string;
  readonly state: JobStateName | 'unknown';
  /** It is dead, or failed and will not be tried again. */
  readonly forGood: boolean;
  /** As the table calls it. */
  readonly status: string;
  readonly source: string;
  readonly jobType: string;
  readonly targetId: string | null;
  /** Id of the chain run. */
  readonly run: string | null;
  /** null when the row says nothing usable. */
  readonly attempts: number | null;
  readonly maxAttempts: number | null;
  /**
   * When it may be picked up. Of a waiting job: since when it waits, that is its due time, or without one its last
   * change, or its creation; of one that was tried before no sooner than its last change, because it ran until then.
   */
  readonly dueAt: Instant | null;
  readonly startedAt: Instant | null;
  readonly heartbeatAt: Instant | null;
  readonly finishedAt: Instant | null;
  readonly createdAt: Instant | null;
  readonly changedAt: Instant | null;
  readonly stage: string | null;
  readonly progress: string | null;
  /** Parts that failed, of how many. Default: it counts none. */
  readonly counts?: JobDetails['counts'];
  /** Further values as a JSON object of texts, as they stand in the row. Default: none. */
  readonly details?: string | null;
}

/** A job as selected. Without texts when they cannot be read. */
export interface SnapshotRow {
  readonly id: string;
  readonly state: JobStateName | 'unknown';
  readonly for_good: boolean;
  readonly attempts: number | string | null;
  readonly max_attempts: number | string | null;
  readonly due_at: Instant | null;
  readonly started_at: Instant | null;
  readonly heartbeat_at: Instant | null;
  readonly finished_at: Instant | null;
  readonly created_at: Instant | null;
  readonly changed_at: Instant | null;
  readonly status?: string | null;
  readonly source?: string | null;
  readonly job_type?: string | null;
  readonly target_id?: string | null;
  readonly run?: string | null;
  readonly stage?: string | null;
  readonly progress?: string | null;
  readonly counted_failed?: number | string | null;
  readonly counted_total?: number | string | null;
  readonly details?: string | null;
}

/** What stands in place of the names of a row whose texts cannot be read. */
export const unreadableName = '(unreadable)';

export const toSnapshot = (row: SnapshotRow): JobSnapshot => ({
  id: toName(row.id),
  state: row.state,
  forGood: row.for_good,
  status: textOf(row.status),
  source: textOf(row.source),
  jobType: textOf(row.job_type),
  targetId: toNameOrNull(row.target_id ?? null),
  run: toNameOrNull(row.run ?? null),
  attempts: toCount(row.attempts),
  maxAttempts: toCount(row.max_attempts),
  dueAt: row.due_at,
  startedAt: row.started_at,
  heartbeatAt: row.heartbeat_at,
  finishedAt: row.finished_at,
  createdAt: row.created_at,
  changedAt: row.changed_at,
  stage: toNameOrNull(row.stage ?? null),
  progress: toNameOrNull(row.progress ?? null),
  counts: countsOf(row.counted_failed, row.counted_total),
  details: row.details ?? null,
});

const textOf = (text: string | null | undefined): string => (text === undefined ? unreadableName : toName(text));
