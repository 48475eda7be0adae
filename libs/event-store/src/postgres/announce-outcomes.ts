import type { Instant, OutcomeId } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import { chunks } from '../chunks.ts';
import { toJsonb } from '../jsonb.ts';

/** An outcome that the detector is about to signal. */
export interface AnnouncedOutcome {
  readonly id: OutcomeId;
  readonly table: string;
  readonly jobId: string;
  readonly kind: string;
  readonly failedAt: Instant;
}

// Ordered by id, so that two detectors that announce the same outcomes wait for each other instead of deadlocking.
const text = `
insert into tocsin.outcomes (id, job_table, job_id, kind, failed_at)
select
  announced.id,
  announced."table",
  announced."jobId",
  announced.kind,
  announced."failedAt"
from jsonb_to_recordset($1::jsonb) as announced (
  id uuid,
  "table" text,
  "jobId" text,
  kind text,
  "failedAt" timestamptz
)
order by announced.id
on conflict (id) do nothing
returning id`;

/** Inserts outcomes about to be signalled; answers the ids that nobody had announced or recorded before. */
export const announceOutcomes = async (
  tx: Queryable,
  outcomes: readonly AnnouncedOutcome[],
): Promise<ReadonlySet<OutcomeId>> => {
  const ids = new Set<OutcomeId>();
  for (const rows of chunks(byId(outcomes))) {
    for (const { id } of (await tx.query<{ readonly id: OutcomeId }>(text, [toJsonb(rows)])).rows) ids.add(id);
  }
  return ids;
};

// The order must hold over the statements of one call too.
const byId = (outcomes: readonly AnnouncedOutcome[]) => outcomes.toSorted((a, b) => (a.id < b.id ? -1 : 1));
