import type { AdapterMapping } from './adapter-mapping.ts';
import type { SourceStatements } from './source-statements.ts';

/** A watched table that was found fit to be read, with its statements. Plain data; valid until the table changes. */
export interface JobSource {
  /** Its name in the configuration; part of every outcome's identity. */
  readonly name: string;
  /** `schema.table`, quoted, for messages. */
  readonly table: string;
  readonly mapping: AdapterMapping;
  readonly statements: SourceStatements;
  /** Whether running transactions of other roles are visible (role `pg_read_all_stats`), see `advanceCursor`. */
  readonly seesAllWriters: boolean;
  /** Whether `payload` is jsonb, so that the jobs of one chain run can be found by an index. */
  readonly readsRuns: boolean;
}
