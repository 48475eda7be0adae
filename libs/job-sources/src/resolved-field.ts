import type { JobField } from './adapter-mapping.ts';
import type { ValueType } from './column-types.ts';

/** Where one table has a field, as SQL. */
export interface ResolvedField extends ValueType {
  /** For statements, where the rows have the alias `job`. */
  readonly reference: string;
  /** For index definitions, where there is no alias; an expression is in parentheses. */
  readonly bare: string;
  /** Its column, when it is a plain one. */
  readonly column: string | null;
  /** The same for every row. */
  readonly constant: boolean;
  /** Postgres accepts it in an index: what is below json (not jsonb) depends on settings. */
  readonly indexable: boolean;
}

/** What a table has of each field; null for one that it lacks. */
export type SourceFields = Readonly<Record<JobField, ResolvedField | null>>;

/** Every field, in the order of their listing in problems and warnings. */
export const jobFields: readonly JobField[] = [
  'id',
  'source',
  'jobType',
  'targetId',
  'status',
  'attempts',
  'maxAttempts',
  'payload',
  'error',
  'run',
  'dueAt',
  'startedAt',
  'heartbeatAt',
  'finishedAt',
  'createdAt',
  'changedAt',
  'failedCount',
  'totalCount',
  'stage',
  'progress',
  'checkpoint',
];

/** A further value of a row, for channels that want it. */
export interface ResolvedDetail {
  readonly name: string;
  /** With the alias `job`. */
  readonly reference: string;
}
