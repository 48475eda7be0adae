import { compareInstants } from '@tocsin/alert-model';
import type { EventNamed } from '@tocsin/alert-model';
import type { AlertFacts, HoldingCondition } from './alert-explanation.ts';

/** The conditions of an alert that still hold, oldest first. */
export const holdingConditions = (facts: Pick<AlertFacts, 'state' | 'events'>): readonly HoldingCondition[] =>
  Object.entries(facts.state.suspicions)
    .map(([outcomeId, { kind, jobId, failedAt }]) => ({
      outcomeId,
      kind,
      jobId,
      since: failedAt,
      words: beginningOf(facts, outcomeId)?.data.error ?? null,
    }))
    .toSorted((a, b) => compareInstants(a.since, b.since));

/** The event with which an occurrence of the alert began. */
export const beginningOf = (
  { events }: Pick<AlertFacts, 'events'>,
  outcomeId: string,
): EventNamed<'FailureDetected'> | undefined => {
  for (const { event } of events)
    if (event.type === 'FailureDetected' && event.data.outcomeId === outcomeId) return event;
  return undefined;
};
