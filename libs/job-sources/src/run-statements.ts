import type { SourceStatements, StatementParts } from './source-statements.ts';
import { nameText } from './sql-expressions.ts';

/**
 * Statements about chain runs; null when the id of the run is neither a field nor in a jsonb payload, because the runs
 * could then be found by reading the whole table only. Both rely on an index on (source, run).
 */
export const runStatements = (parts: StatementParts): Pick<SourceStatements, 'runJobs' | 'greenRuns'> => {
  const { from, ref, runSearched: run } = parts;
  if (run === null) return { runJobs: null, greenRuns: null };
  const step = `${nameText(ref('jobType'))} as job_type, ${nameText(ref('targetId'))} as target_id`;
  const succeeded = `${parts.inStates('succeeded')}`;

  const runJobs = `
    select work.n, sibling.job_type, sibling.target_id, sibling.status
    from unnest($1::text[], $2::text[]) with ordinality as work (source, run, n)
    cross join lateral (
      select ${step}, ${nameText(ref('status'))} as status
      from ${from} as job
      where ${parts.equals('source', 'work.source')}
        and ${run} = work.run
      limit $3
    ) as sibling`;

  // Goes back run by run, one index probe each, and stops at the first whose jobs all succeeded and which holds the
  // failed job's type: a source may have several chains, and theirs are other runs.
  const previous = (later: string) => `
      select latest.run, whole.green
      from (
        select ${run} as run
        from ${from} as job
        where ${parts.equals('source', `${later}.source`)}
          and ${run} < ${later}.run
        order by ${run} desc
        limit 1
      ) as latest
      cross join lateral (
        select coalesce(bool_and(step.succeeded) and bool_or(step.same_type), false) as green
        from (
          select ${succeeded} as succeeded, ${parts.equals('jobType', `${later}.job_type`)} as same_type
          from ${from} as job
          where ${parts.equals('source', `${later}.source`)}
            and ${run} = latest.run
          limit $5
        ) as step
      ) as whole`;

  const greenRuns = `
    with recursive work as (
      select * from unnest($1::text[], $2::text[], $3::text[]) with ordinality as work (source, run, job_type, n)
    ), earlier as (
      select work.n, work.source, work.job_type, previous.run, previous.green, 1 as depth
      from work
      cross join lateral (${previous('work')}
      ) as previous
      union all
      select earlier.n, earlier.source, earlier.job_type, previous.run, previous.green, earlier.depth + 1
      from earlier
      cross join lateral (${previous('earlier')}
      ) as previous
      where not earlier.green and earlier.depth < $4
    )
    select earlier.n, step.job_type, step.target_id, step.finished_at
    from earlier
    cross join lateral (
      select ${step}, ${parts.instant('finishedAt')} as finished_at
      from ${from} as job
      where ${parts.equals('source', 'earlier.source')}
        and ${run} = earlier.run
      limit $5
    ) as step
    where earlier.green`;
  return { runJobs, greenRuns };
};
