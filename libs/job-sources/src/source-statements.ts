import type { AdapterMapping, JobField, JobStateName } from './adapter-mapping.ts';
import type { ResolvedDetail, SourceFields } from './resolved-field.ts';

/** Statements that page through outcomes of one sort. */
export interface OutcomeStatements {
  /** Outcomes changed at or after $1 (an instant), at most $2 rows. */
  readonly failuresFrom: string;
  /** Outcomes after the row with change time $1 and id $2 (both as text), at most $3 rows. */
  readonly failuresAfter: string;
  /** The same two without any text of the job: for rows that cannot be read otherwise. */
  readonly bareFailuresFrom: string;
  readonly bareFailuresAfter: string;
  /** The same two with nothing but what tells one failure from another: for rows that were most likely read before. */
  readonly skimFrom: string;
  readonly skimAfter: string;
  /** Outcomes among the jobs with the ids $1 (text[]). */
  readonly failuresById: string;
  readonly bareFailuresById: string;
  /** Identities of outcomes from the oldest change on: $1 look-back in milliseconds, $2 rows; then after ($3, $4). */
  readonly identitiesFrom: string;
  readonly identitiesAfter: string;
  /** The same for rows without a change time; then after the id $3. */
  readonly undatedFrom: string;
  readonly undatedAfter: string;
}

/** A statement, and the same without any text of the job: for rows that cannot be read otherwise. */
export interface TextAndBare {
  readonly text: string;
  readonly bare: string;
}

/** Statements that read jobs as their rows stand. */
export interface SnapshotStatements {
  /** The $1 running ones that show the oldest signs of life. */
  readonly running: TextAndBare;
  /** At most $2 that have waited for $1 milliseconds. */
  readonly waiting: TextAndBare;
  /** Those with the ids $1 (text[]). */
  readonly byId: TextAndBare;
}

/** Text of every statement sent to a watched table. Values are parameters; identifiers come from the catalogue, quoted. */
export interface SourceStatements extends OutcomeStatements {
  /** The same for jobs that succeeded with parts that failed; null when the table counts no parts. */
  readonly partials: OutcomeStatements | null;
  /**
   * Successes of work with a target ($1–$5: n, source, job type, since, target), without one ($6–$9) and with whatever
   * target ($10–$13); $14 rows each.
   */
  readonly successes: string;
  /** Jobs of the chain runs ($1 sources, $2 runs), $3 rows each; null when runs cannot be read. */
  readonly runJobs: string | null;
  /** The latest green run before each ($1 sources, $2 runs, $3 job types), looking at $4 runs, $5 rows each. */
  readonly greenRuns: string | null;
  readonly snapshots: SnapshotStatements;
  /** See `durationStatement`, `latestEndStatement`, `historyStatement`, `chainRunStatement`. */
  readonly durations: string | null;
  readonly latestEnds: string;
  readonly history: string;
  readonly chainRuns: TextAndBare | null;
  /** See `checkpointStatement`. */
  readonly checkpoint: string | null;
  /** How often each status occurs among the first $1 rows; with `sampled`, among $2 percent of the blocks. */
  readonly statusCounts: { readonly first: string; readonly sampled: string };
}

/** Everything the builders of statements share about one table. */
export interface StatementParts {
  /** What is read: the quoted table, or a relation in parentheses; always with the alias `job`. */
  readonly from: string;
  /** The quoted watched table. */
  readonly table: string;
  readonly mapping: AdapterMapping;
  readonly fields: SourceFields;
  readonly details: readonly ResolvedDetail[];
  /** The field with the alias `job`; a null of its type when the table has none. */
  readonly ref: (field: JobField) => string;
  /** The field as a timestamptz instant in UTC text; `null::text` without the field. */
  readonly instant: (field: JobField) => string;
  /** `status in (…)`, written as an index predicate is, with only values that the column can have; or the conditions. */
  readonly inStates: (...states: readonly JobStateName[]) => string;
  /** The condition under which a failure is for good. */
  readonly forGood: string;
  /** A comparison with a text parameter or column that uses the index where types allow. */
  readonly equals: (field: JobField, text: string) => string;
  /** The id of the chain run as a name. */
  readonly run: string;
  /** The same as an index has it, unshortened; null when runs cannot be found by an index. */
  readonly runSearched: string | null;
  readonly identityAt: string;
}
