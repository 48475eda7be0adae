import { randomUUID } from 'node:crypto';
import { OutcomeId, Signal, shorten } from '@tocsin/alert-model';
import type {
  ConditionEndedSignal,
  FailureSignal,
  Instant,
  JobRepairedSignal,
  SuccessSignal,
} from '@tocsin/alert-model';
import { z } from 'zod';
import type { Outcome, Quarantined } from './ingestion.ts';

/** The signals of a batch by kind, each once. */
export interface ReadSignals {
  readonly failures: readonly FailureSignal[];
  readonly successes: readonly SuccessSignal[];
  readonly ends: readonly ConditionEndedSignal[];
  readonly repairs: readonly JobRepairedSignal[];
  /** What could not be read. */
  readonly quarantined: readonly Quarantined[];
  /** Outcomes that the unreadable signals were about. */
  readonly outcomes: readonly Outcome[];
}

/** Parses signals one by one; one that cannot be read spoils no other. Of several for the same thing the last one counts. */
export const readSignals = (raw: readonly unknown[], now: Instant): ReadSignals => {
  const signals: Signal[] = [];
  const quarantined: Quarantined[] = [];
  const outcomes: Outcome[] = [];
  for (const payload of raw) {
    const parsed = Signal.safeParse(payload);
    if (parsed.success) {
      signals.push(parsed.data);
      continue;
    }
    const reason = shorten(z.prettifyError(parsed.error), 1_000);
    quarantined.push({ id: randomUUID(), queue: 'signals', payload, reason });
    outcomes.push(...announcedOutcome(payload, now));
  }
  const outcomeId = (signal: Signal): string => signal.outcomeId;
  return {
    failures: distinct(
      signals.filter((signal) => signal.signal === 'FailureDetected'),
      outcomeId,
    ),
    successes: distinct(
      signals.filter((signal) => signal.signal === 'SuccessDetected'),
      outcomeId,
    ),
    ends: distinct(
      signals.filter((signal) => signal.signal === 'ConditionEnded'),
      outcomeId,
    ),
    repairs: distinct(
      signals.filter((signal) => signal.signal === 'JobRepaired'),
      ({ repairId }) => repairId,
    ),
    quarantined,
    outcomes,
  };
};

/** Where the detector announced an outcome whose signal cannot be read, it is accounted for: it lies in quarantine. */
const announcedOutcome = (payload: unknown, now: Instant): readonly Outcome[] => {
  const announced = z.object({ outcomeId: OutcomeId, signal: z.literal('FailureDetected') }).safeParse(payload);
  if (!announced.success) return [];
  const unreadable = { table: 'unreadable', jobId: 'unreadable', kind: 'failed', failedAt: now };
  return [{ id: announced.data.outcomeId, ...unreadable, alertId: null, disposition: 'quarantined' }];
};

const distinct = <Item>(items: readonly Item[], idOf: (item: Item) => string): readonly Item[] => [
  ...new Map(items.map((item) => [idOf(item), item])).values(),
];
