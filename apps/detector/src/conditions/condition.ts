import { FailureSignal, compareInstants, errorCharsMax, nameCharsMax } from '@tocsin/alert-model';
import type { ConditionKind, EndCause, Instant, JobDetails } from '@tocsin/alert-model';
import type { ConditionSubject, OpenCondition } from '@tocsin/event-store';
import { outcomeId } from '@tocsin/job-sources';

/** A condition as it was judged to hold in one look. */
export interface SeenCondition {
  readonly kind: ConditionKind;
  /** The job's id, or what stands for it: `schedule:nightly`, `run:catalog:2026-11-23`, `type:apple/import`, `table:clock`. */
  readonly jobId: string;
  /** Last sign of life, due time: what makes it another condition when it comes back. */
  readonly at: string | null;
  readonly source: string;
  readonly jobType: string;
  readonly targetId: string | null;
  readonly run: string | null;
  readonly attempts: number | null;
  readonly maxAttempts: number | null;
  /** Since when it is wrong. */
  readonly failedAt: Instant;
  /** What was expected and what was seen, in one sentence for the message. */
  readonly words: string;
  readonly notes: readonly string[];
  /** What the next looks need to see whether it still holds. */
  readonly facts: ConditionSubject['facts'];
  /** What the row says beyond its identity. Default: nothing. */
  readonly details?: JobDetails | null;
}

/** How a condition was seen to have ended. */
export interface SeenEnd {
  readonly cause: EndCause;
  readonly note: string;
  readonly endedAt: Instant;
}

/**
 * What makes a condition the same from one look to the next: one of a kind for each job; a job that is silent again after a
 * sign of life is silent anew.
 */
export const conditionKey = (condition: SeenCondition | OpenCondition): string => {
  const facts = 'subject' in condition ? condition.subject.facts : condition.facts;
  return JSON.stringify([condition.kind, condition.jobId, condition.kind === 'stuck' ? (facts['sign'] ?? null) : null]);
};

/** Jobs of one type in one source. */
export const typeKey = ({ source, jobType }: { readonly source: string; readonly jobType: string }): string =>
  `${source}\n${jobType}`;

export const subjectOf = ({ source, jobType, targetId, run, facts }: SeenCondition): ConditionSubject => ({
  source,
  jobType,
  targetId,
  run,
  facts,
});

/** The signal that a condition has begun. */
export const toConditionSignal = (seen: SeenCondition, table: string, readAt: Instant): FailureSignal =>
  FailureSignal.parse({
    v: 1,
    signal: 'FailureDetected',
    outcomeId: outcomeId({ table, jobId: seen.jobId, kind: seen.kind, at: seen.at, attempts: seen.attempts }),
    table,
    jobId: seen.jobId.slice(0, nameCharsMax),
    kind: seen.kind,
    source: seen.source,
    jobType: seen.jobType,
    targetId: seen.targetId,
    attempts: seen.attempts,
    maxAttempts: seen.maxAttempts,
    error: seen.words.slice(0, errorCharsMax),
    failedAt: compareInstants(seen.failedAt, readAt) > 0 ? readAt : seen.failedAt,
    run: seen.run,
    runContext: null,
    details: seen.details ?? null,
    notes: seen.notes.map((note) => note.slice(0, nameCharsMax)).slice(0, 10),
    observedAt: readAt,
  });
