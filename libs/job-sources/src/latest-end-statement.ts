import type { StatementParts } from './source-statements.ts';
import { asColumnTime, asTimestamptz, utcText } from './sql-expressions.ts';
import { requireField } from './statement-parts.ts';
import { workConditions } from './work-conditions.ts';

/** An end this far ahead is an error of the row, not of a clock. */
const aheadMax = "interval '1 day'";

/**
 * The latest end of a job of each type, well or badly: $1 sources, $2 job types. A table without end times has only the
 * last change. Relies on an index on (source, job type, finished) where jobs have ended.
 */
export const latestEndStatement = (parts: StatementParts): string => {
  const field = parts.fields.finishedAt === null ? 'changedAt' : 'finishedAt';
  const found = requireField(parts.fields[field]);
  return `
    select work.n, ${utcText('least(latest.ended, statement_timestamp())')} as ended_at
    from unnest($1::text[], $2::text[]) with ordinality as work (source, job_type, n)
    cross join lateral (
      select ${asTimestamptz(found.reference, found)} as ended
      from ${parts.from} as job
      where ${parts.inStates('succeeded', 'failed', 'dead')}
        and ${workConditions(parts).isOfType}
        and ${found.reference} < ${asColumnTime(`(statement_timestamp() + ${aheadMax})`, found)}
      order by ${found.reference} desc
      limit 1
    ) as latest`;
};
