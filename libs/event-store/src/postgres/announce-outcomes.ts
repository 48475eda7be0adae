import type { Instant, OutcomeId } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { chunks } from '../chunks.ts';
import { toJsonb } from '../jsonb.ts';
import type { ConditionSubject } from '../store.ts';

/** An outcome that the detector is about to signal. */
export interface AnnouncedOutcome {
  readonly id: OutcomeId;
  readonly table: string;
  readonly jobId: string;
  readonly kind: string;
  readonly failedAt: Instant;
  /** Set for conditions only. */
  readonly subject?: ConditionSubject;
}

// Without a target `on conflict` minds every unique index: the primary key, and outcomes_open_conditions, by which a
// condition holds once at a time. Inserted in a fixed order, so that two detectors that announce the same outcomes wait
// for each other instead of deadlocking.
const text = `
insert into tocsin.outcomes (id, job_table, job_id, kind, failed_at, subject)
select
  announced.id,
  announced."table",
  announced."jobId",
  announced.kind,
  announced."failedAt",
  announced.subject
from jsonb_to_recordset($1::jsonb) as announced (
  turn integer,
  id uuid,
  "table" text,
  "jobId" text,
  kind text,
  "failedAt" timestamptz,
  subject jsonb
)
order by announced.turn
on conflict do nothing
returning id`;

/**
 * Inserts outcomes about to be signalled; answers the ids that nobody had announced or recorded before. A condition (with
 * `subject`) is not new either while another of the same table, kind and job is open.
 */
export const announceOutcomes = async (
  tx: Queryable,
  outcomes: readonly AnnouncedOutcome[],
): Promise<ReadonlySet<OutcomeId>> => {
  const ids = new Set<OutcomeId>();
  for (const rows of chunks(inOrderOfAnnouncing(outcomes))) {
    const values = [toJsonb(rows.map((row, turn) => ({ ...row, turn })))];
    for (const { id } of (await tx.query<{ readonly id: OutcomeId }>(text, values)).rows) ids.add(id);
  }
  return ids;
};

/**
 * The same order in every transaction, over all statements of one call: first what only the primary key can hold up, by
 * id, as everywhere; then conditions, by what only one of them may hold.
 */
export const inOrderOfAnnouncing = <Outcome extends AnnouncedOutcome>(
  outcomes: readonly Outcome[],
): readonly Outcome[] =>
  outcomes
    .map((outcome) => ({ outcome, order: orderOf(outcome) }))
    .sort((a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : 0))
    .map(({ outcome }) => outcome);

const orderOf = ({ id, table, kind, jobId, subject }: AnnouncedOutcome): string =>
  JSON.stringify(subject === undefined ? [0, id] : [1, table, kind, jobId, id]);
