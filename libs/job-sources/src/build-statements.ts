import type { AdapterMapping } from './adapter-mapping.ts';
import { failureStatements } from './failure-statements.ts';
import { runStatements } from './run-statements.ts';
import type { SourceColumns, SourceStatements } from './source-statements.ts';
import { statementParts } from './statement-parts.ts';
import { successesStatement } from './success-statement.ts';

/** Builds the statements for a table, once its columns are known to fit. `table` is its quoted name. */
export const buildStatements = (mapping: AdapterMapping, table: string, columns: SourceColumns): SourceStatements => {
  const parts = statementParts(mapping, table, columns);
  return { ...failureStatements(parts), successes: successesStatement(parts), ...runStatements(parts) };
};
