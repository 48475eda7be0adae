import type { StatementParts } from './source-statements.ts';
import { detailText, nameText } from './sql-expressions.ts';
import { quoteLiteral } from './table-name.ts';

/** SQL by the name of the column it becomes. */
type Expressions = Readonly<Record<string, string>>;

/** What the row says beyond its identity, only where the table has it: nothing is read for nothing. */
export const detailExpressions = (parts: StatementParts): Expressions => {
  const { fields, ref, instant } = parts;
  return {
    ...(fields.stage === null ? {} : { stage: nameText(ref('stage')) }),
    ...(fields.progress === null ? {} : { progress: nameText(ref('progress')) }),
    ...(fields.heartbeatAt === null ? {} : { heartbeat_at: instant('heartbeatAt') }),
    ...countedExpressions(parts),
  };
};

/** The part of it that no other reading of a row has. */
export const countedExpressions = ({ fields, details, ref }: StatementParts): Expressions => ({
  ...(fields.failedCount === null ? {} : { counted_failed: ref('failedCount'), counted_total: ref('totalCount') }),
  ...(details.length === 0
    ? {}
    : {
        details: `json_build_object(${details
          .map(({ name, reference }) => `${quoteLiteral(name)}, ${detailText(reference)}`)
          .join(', ')})::text`,
      }),
});
