import { chainRunStatement } from './chain-run-statement.ts';
import { checkpointStatement } from './checkpoint-statement.ts';
import { durationStatement } from './duration-statement.ts';
import { latestEndStatement } from './latest-end-statement.ts';
import { historyStatement } from './history-statement.ts';
import { failureStatements, partialStatements } from './failure-statements.ts';
import { runStatements } from './run-statements.ts';
import { snapshotStatements } from './snapshot-statements.ts';
import type { SourceStatements } from './source-statements.ts';
import { statementParts } from './statement-parts.ts';
import type { ReadShape } from './statement-parts.ts';
import { statusStatements } from './status-statements.ts';
import { successesStatement } from './success-statement.ts';

/** Builds the statements for a table, once its fields are known to fit. */
export const buildStatements = (shape: ReadShape): SourceStatements => {
  const parts = statementParts(shape);
  return {
    ...failureStatements(parts),
    partials: partialStatements(parts),
    successes: successesStatement(parts),
    ...runStatements(parts),
    snapshots: snapshotStatements(parts),
    durations: durationStatement(parts),
    latestEnds: latestEndStatement(parts),
    history: historyStatement(parts),
    chainRuns: chainRunStatement(parts),
    checkpoint: checkpointStatement(parts),
    statusCounts: statusStatements(parts),
  };
};
