import type { AdapterMapping, JobField } from './adapter-mapping.ts';
import type { CatalogColumn } from './column-types.ts';

/** The columns that a table has; null for one that it lacks. */
export type SourceColumns = Readonly<Record<JobField, CatalogColumn | null>>;

/** Text of every statement sent to a watched table. Values are parameters; identifiers come from the catalogue, quoted. */
export interface SourceStatements {
  /** Failures changed at or after $1 (an instant), at most $2 rows. */
  readonly failuresFrom: string;
  /** Failures after the row with change time $1 and id $2 (both as text), at most $3 rows. */
  readonly failuresAfter: string;
  /** The same two without any text of the job: for rows that cannot be read otherwise. */
  readonly bareFailuresFrom: string;
  readonly bareFailuresAfter: string;
  /** The same two with nothing but what tells one failure from another: for rows that were most likely read before. */
  readonly skimFrom: string;
  readonly skimAfter: string;
  /** Failures among the jobs with the ids $1 (text[]). */
  readonly failuresById: string;
  readonly bareFailuresById: string;
  /** Identities of failures from the oldest change on: $1 look-back in milliseconds, $2 rows; then after ($3, $4). */
  readonly identitiesFrom: string;
  readonly identitiesAfter: string;
  /** The same for rows without a change time; then after the id $3. */
  readonly undatedFrom: string;
  readonly undatedAfter: string;
  /**
   * Successes of work with a target ($1–$5: n, source, job type, since, target), without one ($6–$9) and with whatever
   * target ($10–$13); $14 rows each.
   */
  readonly successes: string;
  /** Jobs of the chain runs ($1 sources, $2 runs), $3 rows each; null when runs cannot be read. */
  readonly runJobs: string | null;
  /** The latest green run before each ($1 sources, $2 runs, $3 job types), looking at $4 runs, $5 rows each. */
  readonly greenRuns: string | null;
}

/** Everything the builders of statements share about one table. */
export interface StatementParts {
  readonly table: string;
  readonly mapping: AdapterMapping;
  readonly columns: SourceColumns;
  /** The quoted column of a field, with the alias `job`; `null::text` when the table has no such column. */
  readonly ref: (field: JobField) => string;
  /** The field as a timestamptz instant in UTC text; `null::text` without the column. */
  readonly instant: (field: JobField) => string;
  /** `status in (…)`, written as an index predicate is; only values that the column can have. */
  readonly inStates: (states: readonly string[]) => string;
  /** A comparison with a text parameter or column that uses the index where types allow. */
  readonly equals: (field: JobField, text: string) => string;
  readonly run: string;
  readonly identityAt: string;
}
