/** What Tocsin wants to know of a job, in its own words; a mapping says which column of a table holds it. */
export type JobField =
  | 'id'
  | 'source'
  | 'jobType'
  | 'targetId'
  | 'status'
  | 'attempts'
  | 'maxAttempts'
  | 'payload'
  | 'error'
  | 'startedAt'
  | 'finishedAt'
  | 'createdAt'
  | 'changedAt';

/** What a column may be, so that the statements built for it are right. */
export type ColumnUse = 'key' | 'text' | 'state' | 'count' | 'instant' | 'document' | 'anything';

export interface ColumnMapping {
  readonly column: string;
  readonly use: ColumnUse;
  /** Without a required column the table is not watched at all; without another one only that fact is missing. */
  readonly required: boolean;
}

/** Values of the state column, by what they mean to us. A value in none of the lists is unknown: never told, but counted. */
export interface JobStates {
  /** Failed for now; for good when `AdapterMapping.failedForGood` holds as well. */
  readonly failed: readonly string[];
  /** Failed for good, whatever the counters say. */
  readonly dead: readonly string[];
  readonly succeeded: readonly string[];
  /** Neither a failure nor a success: waiting, running, canceled. */
  readonly quiet: readonly string[];
}

/** An index that a hot statement relies on. Column lists are SQL with `{field}` standing for the quoted column. */
export interface IndexNeed {
  readonly purpose: string;
  readonly nameSuffix: string;
  readonly fields: readonly JobField[];
  readonly key: string;
  readonly where: string;
  /** How many leading key columns an existing index must share to be as good. */
  readonly leading: number;
}

/**
 * How one kind of job table is read: data, from which `buildStatements` makes the statements once. SQL in it is ours,
 * never the user's; `{field}` stands for the quoted column of that field.
 */
export interface AdapterMapping {
  /** Its name in the configuration (`jobs[].adapter`). */
  readonly adapter: string;
  readonly columns: Readonly<Record<JobField, ColumnMapping>>;
  readonly states: JobStates;
  /** Condition under which a row in a `failed` state will not be tried again. */
  readonly failedForGood: string;
  /** Key inside `payload` that holds the id of the chain run. */
  readonly runKey: string;
  /** The first of these that has a value dates the outcome; it must stay as it is when a row is merely touched. */
  readonly identityTimes: readonly JobField[];
  readonly indexes: readonly IndexNeed[];
}
