import { FailureSignal, compareInstants, nameCharsMax, toErrorText } from '@tocsin/alert-model';
import type { Instant, OutcomeId } from '@tocsin/alert-model';
import type { BareFailureRow, FailureRow } from './failure-row.ts';
import { detailsOfRow } from './job-details.ts';
import { toName, toNameOrNull } from './job-name.ts';
import { toCount } from './to-count.ts';

/** Clocks of a healthy fleet differ by less than this, in milliseconds; below it an end time ahead is not worth a word. */
const aheadTolerableMs = 1_000;
/** What stands in place of the names of a row that cannot be read. */
const unreadable = '(unreadable)';

export interface SignalContext {
  /** Name of the watched table in the configuration. */
  readonly table: string;
  readonly readAt: Instant;
  readonly outcomeId: OutcomeId;
  /** What a row of that table should say; by default all of it. */
  readonly expects?: { readonly attempts: boolean; readonly endTime: boolean };
  /** Secrets of the installation, replaced wherever they stand in an error. */
  readonly secrets: readonly string[];
}

/**
 * What a row tells, in a form that the model accepts whatever the row holds: odd values are replaced and noted, error
 * text is redacted. The run's other jobs are added later.
 */
export const toFailureSignal = (row: FailureRow, context: SignalContext): FailureSignal => {
  try {
    return FailureSignal.parse({
      ...commonFacts(row, context),
      source: toName(row.source),
      jobType: toName(row.job_type),
      targetId: toNameOrNull(row.target_id),
      error: toErrorText(row.error, context.secrets),
      run: toNameOrNull(row.run),
      details: detailsOfRow(row, context.secrets),
    });
  } catch (error) {
    return toMinimalSignal(row, context, error instanceof Error ? error.message : String(error));
  }
};

/** For a row whose texts cannot be read: its id, its state and why. Better than nothing at all. */
export const toMinimalSignal = (row: BareFailureRow, context: SignalContext, reason: string): FailureSignal => {
  const facts = commonFacts(row, context);
  return FailureSignal.parse({
    ...facts,
    source: unreadable,
    jobType: unreadable,
    targetId: null,
    error: null,
    run: null,
    notes: [
      `This row could not be read: ${toErrorText(reason, context.secrets) ?? 'no reason given'}`
        .slice(0, nameCharsMax)
        .toWellFormed(),
      ...facts.notes,
    ].slice(0, 10),
  });
};

const commonFacts = (row: BareFailureRow, { table, readAt, outcomeId, expects }: SignalContext) => {
  const notes: string[] = [];
  const attempts = toCount(row.attempts);
  const maxAttempts = toCount(row.max_attempts);
  if (expects?.attempts !== false && row.kind === 'failed' && (attempts === null || maxAttempts === null))
    notes.push('Its attempt counters say nothing usable, so this failure is taken as final.');
  const failedAt = failureTime(row, readAt, expects?.endTime !== false, notes);
  return {
    v: 1,
    signal: 'FailureDetected',
    outcomeId,
    table: toName(table),
    jobId: toName(row.id),
    kind: row.kind,
    attempts,
    maxAttempts,
    failedAt,
    runContext: null,
    counts: countsOf(row),
    history: null,
    notes,
    observedAt: readAt,
  };
};

const countsOf = (row: BareFailureRow): FailureSignal['counts'] => {
  const failed = toCount(row.failed_count ?? null);
  return row.kind === 'partial' && failed !== null ? { failed, total: toCount(row.total_count ?? null) } : null;
};

/** When it failed: its end time, or the nearest thing to it, but never later than now. */
const failureTime = (row: BareFailureRow, readAt: Instant, expectsEnd: boolean, notes: string[]): Instant => {
  const candidates = [row.finished_at, row.changed_at, row.started_at, row.created_at, readAt];
  const known = candidates.find((candidate) => candidate !== null) ?? readAt;
  if (row.finished_at === null && expectsEnd)
    notes.push(
      row.unfinished
        ? 'It has no end time; the time of its last change is used.'
        : 'Its end time is no usable time; the time of its last change is used.',
    );
  if (compareInstants(known, readAt) <= 0) return known;
  if (Date.parse(known) - Date.parse(readAt) > aheadTolerableMs)
    notes.push(`Its time lies in the future (${known}); the time of reading is used. Compare the clocks.`);
  return readAt;
};
