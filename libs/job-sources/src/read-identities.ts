import type { OutcomeId } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import type { HorizonRow, IdentityRow } from './failure-row.ts';
import type { JobSource } from './job-source.ts';
import { outcomeId } from './outcome-id.ts';
import { statementsOf } from './scan-failures.ts';
import type { OutcomeSort } from './scan-failures.ts';

/** Most rows of one page of identities. They are narrow: some 100 bytes each. */
export const identityRowsMax = 5_000;

/** Where the comparison goes on. Rows without a change time come last. */
export type IdentityPosition =
  | { readonly phase: 'dated'; readonly changed: string; readonly id: string }
  | { readonly phase: 'undated'; readonly id: string | null };

export interface IdentityPage {
  /** Outcomes of final failures within the look-back, with the id of their row. */
  readonly outcomes: readonly { readonly id: OutcomeId; readonly jobId: string }[];
  readonly rowsRead: number;
  /** Null when the whole table has been gone through. */
  readonly next: IdentityPosition | null;
}

/**
 * One page of the identities of all failures in the table, for comparison with the recorded outcomes: what any cursor
 * can miss (late commits, clocks that went back, no change time at all) is found so.
 *
 * @param position null at the beginning
 * @param lookBackMs rows all of whose times are older are left out; rows without any time are not
 */
export const readIdentities = async (
  queryable: Queryable,
  source: JobSource,
  position: IdentityPosition | null,
  {
    lookBackMs,
    limit = identityRowsMax,
    what,
  }: { readonly lookBackMs: number; readonly limit?: number; readonly what?: OutcomeSort },
): Promise<IdentityPage> => {
  const statements = statementsOf(source, what);
  const rowsMax = Math.max(1, Math.min(limit, identityRowsMax));
  const first = [lookBackMs, rowsMax];
  const [text, values] =
    position === null
      ? [statements.identitiesFrom, first]
      : position.phase === 'dated'
        ? [statements.identitiesAfter, [...first, position.changed, position.id]]
        : position.id === null
          ? [statements.undatedFrom, first]
          : [statements.undatedAfter, [...first, position.id]];
  const { rows } = await queryable.query<IdentityRow & HorizonRow & { readonly wanted: boolean }>(text, values);
  const found = rows.filter((row) => row.id !== null);
  return {
    outcomes: found
      .filter(({ wanted }) => wanted)
      .map((row) => ({
        id: outcomeId({
          table: source.name,
          jobId: row.id,
          kind: row.kind,
          at: row.identity_at,
          attempts: row.attempts,
        }),
        jobId: row.id,
      })),
    rowsRead: found.length,
    next: following(position, found.length < rowsMax ? null : (found.at(-1) ?? null)),
  };
};

const following = (position: IdentityPosition | null, last: IdentityRow | null): IdentityPosition | null => {
  if (position?.phase === 'undated') return last === null ? null : { phase: 'undated', id: last.id };
  return last === null || last.changed === null
    ? { phase: 'undated', id: null }
    : { phase: 'dated', changed: last.changed, id: last.id };
};
