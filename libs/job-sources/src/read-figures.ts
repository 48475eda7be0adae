import type { Instant } from '@tocsin/alert-model';
import type { Queryable } from '@tocsin/runtime';
import type { JobSource } from './job-source.ts';

/** What the failures of a table say about how long rows are kept and about the clocks of those who write them. */
export interface Figures {
  /** The oldest failure that is still there. */
  readonly oldestEndedAt: Instant | null;
  /** The latest change of a failure, as its writer's clock had it. */
  readonly newestChangedAt: Instant | null;
}

/** Two probes of the index that the scan uses anyway. Null where there is no failure, or none with a usable time. */
export const readFigures = async (queryable: Queryable, { statements }: JobSource): Promise<Figures> => {
  const { rows } = await queryable.query<{ readonly oldest: Instant | null; readonly newest: Instant | null }>(
    statements.figures,
  );
  return { oldestEndedAt: rows[0]?.oldest ?? null, newestChangedAt: rows[0]?.newest ?? null };
};
