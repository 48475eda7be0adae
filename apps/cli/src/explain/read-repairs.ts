import type { OutcomeId } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';

/** What the janitor did about a stuck job. */
export interface RepairRecord {
  readonly outcomeId: OutcomeId;
  readonly action: 'mark_dead' | 'requeue';
  readonly restart: number | null;
  readonly state: 'intended' | 'done' | 'skipped';
  readonly reason: string | null;
  readonly intendedAt: string;
}

// Index repairs_by_outcome.
const text = `
select
  outcome_id as "outcomeId",
  action,
  restart,
  state,
  reason,
  to_char(intended_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "intendedAt"
from tocsin.repairs
where outcome_id = any($1::uuid[])
order by intended_at`;

/** Repairs tried for these outcomes, oldest first; at most one of each. */
export const readRepairs = async (
  queryable: Queryable,
  outcomeIds: readonly OutcomeId[],
): Promise<readonly RepairRecord[]> => (await queryable.query<RepairRecord>(text, [outcomeIds])).rows;

/** One repair as a sentence without its full stop. */
export const repairWords = ({ action, restart, state, reason }: RepairRecord): string => {
  const what =
    action === 'requeue'
      ? `put it back into the queue${restart === null ? '' : `, restart ${restart}`}`
      : 'marked it dead';
  switch (state) {
    case 'intended':
      return `the janitor began to repair it (${action}), and how that ended is not known yet`;
    case 'done':
      return `the janitor ${what}${reason === null ? '' : ` (${reason})`}`;
    case 'skipped':
      return `the janitor left it alone (${action}): ${reason ?? 'no reason is recorded'}`;
    default:
      return state satisfies never;
  }
};
