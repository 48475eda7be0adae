import type { StatementParts } from './source-statements.ts';
import { timeOf } from './snapshot-expressions.ts';
import { workConditions } from './work-conditions.ts';

/**
 * How long the newest successes of each type took: $1 sources, $2 job types, $3 successes each. Null when the table does
 * not say when jobs start or end. Relies on an index on (source, job type, finished) where jobs have ended.
 */
export const durationStatement = (parts: StatementParts): string | null => {
  if (parts.fields.startedAt === null || parts.fields.finishedAt === null) return null;
  return `
    select
      work.n,
      sample.samples,
      sample.quantiles[1] as p50,
      sample.quantiles[2] as p99
    from unnest($1::text[], $2::text[]) with ordinality as work (source, job_type, n)
    cross join lateral (
      select
        count(*) as samples,
        percentile_disc(array[0.5, 0.99]) within group (order by extract(epoch from took.duration) * 1000)::float8[] as quantiles
      from (
        select ${timeOf(parts, 'finishedAt')} - ${timeOf(parts, 'startedAt')} as duration
        from ${parts.from} as job
        where ${parts.inStates('succeeded')}
        and ${workConditions(parts).isOfType}
        and ${parts.ref('finishedAt')} < 'infinity'
        and ${parts.ref('startedAt')} > '-infinity'
        and ${parts.ref('startedAt')} <= ${parts.ref('finishedAt')}
        order by ${parts.ref('finishedAt')} desc
        limit (select $3::bigint)
      ) as took
    ) as sample`;
};
