import type { ConditionEndedSignal, ConditionKind, FailureSignal, Instant, OutcomeId } from '@tocsin/alert-model';
import { nameCharsMax } from '@tocsin/alert-model';
import type { OpenCondition } from '@tocsin/event-store';
import { crashPoint } from '@tocsin/runtime';
import { countFailures } from '../detector-metrics.ts';
import type { DetectorContext } from '../detector-ports.ts';
import { enqueueSignals } from '../send-failures.ts';
import { subjectOf } from './condition.ts';
import type { SeenCondition, SeenEnd } from './condition.ts';

/** A condition that was open and how it ended. */
export interface EndedCondition {
  readonly condition: OpenCondition;
  readonly end: SeenEnd;
}

/** A condition that was not known before, and the signal that says so. */
export interface BegunCondition {
  readonly seen: SeenCondition;
  readonly signal: FailureSignal;
}

/** What was sent of one look. */
export interface SentConditions {
  readonly begun: readonly FailureSignal[];
  readonly ended: number;
}

/**
 * Records and sends what has begun and what has ended, in one transaction: after a crash at any point either all of it
 * has happened or none. Two detectors that judge the same send each beginning and each end once.
 */
export const sendConditions = async (
  context: DetectorContext,
  table: string,
  begun: readonly BegunCondition[],
  ended: readonly EndedCondition[],
  readAt: Instant,
): Promise<SentConditions> => {
  if (begun.length === 0 && ended.length === 0) return { begun: [], ended: 0 };
  const sent = await context.store.transaction('detector.conditions', async (session) => {
    // Ends first: a job that is silent again may be so for another reason, and only one condition of it can be open.
    const over = await session.endConditions(
      ended.map(({ condition, end }) => ({
        id: condition.id,
        cause: end.cause,
        note: noteOf(end),
        endedAt: end.endedAt,
      })),
    );
    const fresh = await session.announceOutcomes(
      begun.map(({ seen, signal }) => ({
        id: signal.outcomeId,
        table,
        jobId: signal.jobId,
        kind: signal.kind,
        failedAt: signal.failedAt,
        subject: subjectOf(seen),
      })),
    );
    const failures = begun.filter(({ signal }) => fresh.has(signal.outcomeId)).map(({ signal }) => signal);
    const ends = ended
      .filter(({ condition }) => over.has(condition.id))
      .map((entry) => toEndSignal(entry, table, readAt));
    await enqueueSignals(context, session, [...ends, ...failures]);
    return { begun: failures, ended: ends.length };
  });
  crashPoint('detector.after_conditions');
  countFailures(context.metrics, sent.begun);
  for (const signal of sent.begun)
    context.log.info(
      { decision: 'ConditionBegan', table, kind: signal.kind, job: signal.jobId, reason: signal.error },
      'a condition was found and sent',
    );
  if (sent.ended > 0)
    context.log.info(
      {
        decision: 'ConditionsEnded',
        table,
        ended: ended.slice(0, 20).map(({ condition, end }) => [condition.kind, condition.jobId, end.cause, end.note]),
      },
      'conditions hold no more',
    );
  return sent;
};

const toEndSignal = (
  { condition, end }: EndedCondition,
  table: string,
  readAt: Instant,
): ConditionEndedSignal & { readonly outcomeId: OutcomeId } => ({
  v: 1,
  signal: 'ConditionEnded',
  outcomeId: condition.id,
  table,
  jobId: condition.jobId,
  kind: condition.kind as ConditionKind,
  cause: end.cause,
  note: noteOf(end),
  endedAt: end.endedAt,
  observedAt: readAt,
});

const noteOf = ({ note }: SeenEnd): string => note.slice(0, nameCharsMax).toWellFormed();
