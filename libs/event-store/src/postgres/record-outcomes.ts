import type { AlertId, OutcomeId } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { chunks } from '../chunks.ts';
import { toJsonb } from '../jsonb.ts';
import type { AnnouncedOutcome } from './announce-outcomes.ts';

/** An outcome that has been dealt with. */
export interface RecordedOutcome extends Omit<AnnouncedOutcome, 'subject'> {
  readonly alertId: AlertId | null;
  readonly disposition: 'recorded' | 'ignored' | 'quarantined' | 'held';
}

// `recorded` is final: whatever comes later, the alert that has the outcome keeps it. Ordered by id against deadlocks.
const text = `
insert into tocsin.outcomes as outcomes (id, job_table, job_id, kind, failed_at, alert_id, disposition, recorded_at)
select
  dealt.id,
  dealt."table",
  dealt."jobId",
  dealt.kind,
  dealt."failedAt",
  dealt."alertId",
  dealt.disposition,
  clock_timestamp()
from jsonb_to_recordset($1::jsonb) as dealt (
  id uuid,
  "table" text,
  "jobId" text,
  kind text,
  "failedAt" timestamptz,
  "alertId" uuid,
  disposition text
)
order by dealt.id
on conflict (id) do update set
  alert_id = excluded.alert_id,
  disposition = excluded.disposition,
  recorded_at = excluded.recorded_at
where outcomes.disposition is distinct from 'recorded'`;

/**
 * Marks outcomes as dealt with, inserting those that were never announced. Doing it again changes nothing once an
 * outcome is `recorded`; `held`, `ignored` and `quarantined` may still become anything else.
 */
export const recordOutcomes = async (tx: Queryable, outcomes: readonly RecordedOutcome[]): Promise<void> => {
  for (const rows of chunks(oncePerOutcome(outcomes))) await tx.query(text, [toJsonb(rows)]);
};

/** One entry per outcome, in id order: the first that is `recorded`, else the last. */
export const oncePerOutcome = (outcomes: readonly RecordedOutcome[]): readonly RecordedOutcome[] => {
  const kept = new Map<OutcomeId, RecordedOutcome>();
  for (const outcome of outcomes) if (kept.get(outcome.id)?.disposition !== 'recorded') kept.set(outcome.id, outcome);
  return [...kept.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
};
