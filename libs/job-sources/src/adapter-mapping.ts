/** What Tocsin wants to know of a job, in its own words; a mapping says where a table has it. */
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
  /** Id of the chain run. */
  | 'run'
  /** When it may be picked up. */
  | 'dueAt'
  | 'startedAt'
  | 'heartbeatAt'
  | 'finishedAt'
  | 'createdAt'
  /** Last change of any kind; orders the scan. */
  | 'changedAt'
  /** Parts of its result that failed, and all of them. */
  | 'failedCount'
  | 'totalCount'
  /** What it is at, for messages. */
  | 'stage'
  | 'progress'
  /** What a restart goes on from. */
  | 'checkpoint';

/** What a column may be, so that the statements built for it are right. */
export type ColumnUse = 'key' | 'text' | 'state' | 'count' | 'instant' | 'document' | 'anything';

/** Where a field is. */
export type FieldMapping =
  | {
      readonly column: string;
      /** Keys below a json or jsonb column; the value is then read as text, or as a number for the use `count`. */
      readonly path?: readonly string[];
      readonly use: ColumnUse;
      /** Without a required column the table is not watched at all; without another one only that fact is missing. */
      readonly required: boolean;
    }
  /** The same for every row. */
  | { readonly value: string }
  /**
   * An expression of ours; `{name}` stands for the quoted column of that name of the relation, which must be there, or
   * the field is taken as missing. Its type is asked of the server.
   */
  | { readonly sql: string; readonly use: ColumnUse; readonly required: boolean };

/** What a job is doing, in our words. */
export type JobStateName = 'waiting' | 'running' | 'failed' | 'dead' | 'succeeded' | 'canceled';

/**
 * How each state is recognised: by values of the status field, or by a condition of ours over the relation's columns
 * (`{name}`), written so that the table's own indexes serve it. A row in none of them is of an unknown state: never told,
 * but counted. `failed` means failed for now; for good when `AdapterMapping.failedForGood` holds as well.
 */
export type JobStates = Readonly<Record<JobStateName, readonly string[] | { readonly sql: string }>>;

/** An index that a hot statement relies on. Column lists are SQL with `{field}` standing for the quoted column. */
export interface IndexNeed {
  readonly purpose: string;
  readonly nameSuffix: string;
  readonly fields: readonly JobField[];
  readonly key: string;
  readonly where: string;
  /** How many leading key columns an existing index must share to be as good. */
  readonly leading: number;
  /** Another table of the same schema, where the need is not one of the watched table itself. */
  readonly table?: string;
}

/**
 * What is read where one table alone does not say it all: a select over the watched table `{table}` and others of its
 * schema `{schema}` (`{schema}.river_job`). It must be simple enough for Postgres to flatten it (no aggregate, distinct,
 * limit or union at its top), so that conditions on its columns reach the indexes of the tables.
 */
export interface Relation {
  readonly sql: string;
  /** Columns it needs, by table name; `{table}` is the watched one. The first relation whose needs are all met is used. */
  readonly needs: Readonly<Record<string, readonly string[]>>;
  /** Which releases of the library have it so, for messages: `since 2025-10`. */
  readonly versions: string;
}

/** How the installed version of a job system is found out. */
export interface VersionProbe {
  /** One row, one column `version`, as text; `{schema}` and `{table}` are filled in. May fail: then nothing is said. */
  readonly sql: string;
  /** Versions this mapping was written for and tested with, as whole numbers; others are watched with a warning. */
  readonly from: number;
  readonly to: number;
  /** What the numbers count: `schema version of pg-boss`. */
  readonly of: string;
}

/**
 * How one kind of job table is read: data, from which `buildStatements` makes the statements once. SQL in it is ours,
 * never the user's.
 */
export interface AdapterMapping {
  /** Its name in the configuration (`jobs[].adapter`). */
  readonly adapter: string;
  /** Name of the job system, for people. */
  readonly title: string;
  /** The table as the library creates it, `pgboss.job`. */
  readonly defaultTable: string;
  /** Empty: the watched table itself is read. */
  readonly relations: readonly Relation[];
  readonly fields: Readonly<Partial<Record<JobField, FieldMapping>>>;
  /** Further values shown to channels that want them, by name: `source_url`. Default: none. */
  readonly details?: Readonly<Record<string, FieldMapping>>;
  readonly states: JobStates;
  /** Condition under which a row in a `failed` state will not be tried again; `{field}` names as in `JobField`. */
  readonly failedForGood: string;
  /** Key inside `payload` that holds the id of the chain run; null: runs are named by the field `run`, or not at all. */
  readonly runKey: string | null;
  /** The first of these that has a value dates the outcome; it must stay as it is when a row is merely touched. */
  readonly identityTimes: readonly JobField[];
  readonly indexes: readonly IndexNeed[];
  readonly version: VersionProbe | null;
  readonly retention: {
    /** How soon the library deletes failed rows by default, in milliseconds; null: it keeps them. */
    readonly failuresMs: number | null;
    /** In words, for documentation and warnings. */
    readonly words: string;
  };
  /** Rows of successes are deleted at once, so that a row that is gone may be a success. */
  readonly deletesSuccesses: boolean;
  /** Tables besides the watched one that must be readable, of the same schema. */
  readonly reads: readonly string[];
  /** What costs a false or a missed alert if one does not know it; each is a test. For the documentation page. */
  readonly traps: readonly string[];
}
