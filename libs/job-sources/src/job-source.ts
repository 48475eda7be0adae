import type { AdapterMapping, JobField } from './adapter-mapping.ts';
import type { SourceFields } from './resolved-field.ts';
import type { SourceStatements } from './source-statements.ts';

/** A watched table that was found fit to be read, with its statements. Plain data; valid until the table changes. */
export interface JobSource {
  /** Its name in the configuration; part of every outcome's identity. */
  readonly name: string;
  /** `schema.table`, quoted, for messages. */
  readonly table: string;
  readonly mapping: AdapterMapping;
  /** Where it has each field. */
  readonly resolved: SourceFields;
  /** The fields it has. */
  readonly fields: ReadonlySet<JobField>;
  readonly statements: SourceStatements;
  /** Whether other tables are read along with it. */
  readonly isRelation: boolean;
  /** Whether running transactions of other roles are visible (role `pg_read_all_stats`), see `advanceCursor`. */
  readonly seesAllWriters: boolean;
  /** Whether the jobs of one chain run can be found by an index. */
  readonly readsRuns: boolean;
  /** Whether jobs count the parts of their result that failed. */
  readonly countsParts: boolean;
  /** Whether running jobs show that they live. */
  readonly hasHeartbeats: boolean;
  /** Whether a row that is gone may have been a success. */
  readonly deletesSuccesses: boolean;
  /** How soon failed rows are deleted by others, in milliseconds; null: not that anybody knew. */
  readonly retentionMs: number | null;
}
