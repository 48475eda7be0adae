import type { SourceStatements, StatementParts } from './source-statements.ts';
import { nameText } from './sql-expressions.ts';

/** Different values reported; a field with more is not a status. */
const statusesMax = 100;

/** Statements that count statuses, and whether rows with them are of a state that is known. */
export const statusStatements = (parts: StatementParts): SourceStatements['statusCounts'] => {
  const known = parts.inStates('waiting', 'running', 'failed', 'dead', 'succeeded', 'canceled');
  const count = (from: string): string => `
    select sample.status, not sample.known as unknown, count(*) as rows
    from (
      select ${nameText(parts.ref('status'))} as status, coalesce(${known}, false) as known
      from ${from}
      limit $1
    ) as sample
    group by 1, 2
    order by 3 desc
    limit ${statusesMax}`;
  return {
    first: count(`${parts.from} as job`),
    // Only of a table itself; of a relation the first rows are counted.
    sampled: count(`${parts.from} as job tablesample system ($2)`),
  };
};
