import { nameCharsMax } from '@tocsin/alert-model';
import { snapshotExpressions } from './snapshot-expressions.ts';
import type { StatementParts, TextAndBare } from './source-statements.ts';
import { asColumnTime } from './sql-expressions.ts';
import { requireField } from './statement-parts.ts';

/** Open jobs looked at for the runs they belong to. */
const openJobsMax = 2_000;
/** Ends of one job type looked at, newest first. */
const endsPerTypeMax = 500;

/**
 * The newest runs of a chain and their jobs: $1 source, $2 job types, $3 since when, $4 runs, $5 jobs each. A run is found
 * by its jobs that run, wait, or have ended since; so no order of run ids is relied upon. Null when runs cannot be searched.
 */
export const chainRunStatement = (parts: StatementParts): TextAndBare | null => {
  const { runSearched: run } = parts;
  if (run === null) return null;
  const { texts, bare } = snapshotExpressions(parts);
  const endField = parts.fields.finishedAt === null ? 'changedAt' : 'finishedAt';
  const ended = requireField(parts.fields[endField]);
  const isOfChain = `${parts.equals('source', '$1::text')} and ${parts.equals('jobType', 'any($2::text[])')}`;
  const open = (state: 'running' | 'waiting'): string => `
        (select ${run} as run, 'infinity'::timestamptz as seen
        from ${parts.from} as job
        where ${parts.inStates(state)}
          and ${isOfChain}
          and ${run} is not null
        limit ${openJobsMax})`;
  const make = (columns: readonly string[]): string => `
    with found as (
      select seen.run, max(seen.seen) as seen
      from (${open('running')}
        union all${open('waiting')}
        union all
        (select late.run, late.seen
        from unnest($2::text[]) as work (job_type)
        cross join lateral (
          select ${run} as run, ${ended.type === 'timestamp with time zone' ? ended.reference : `(${ended.reference} at time zone 'UTC')`} as seen
          from ${parts.from} as job
          where ${parts.inStates('succeeded', 'failed', 'dead')}
            and ${parts.equals('source', '$1::text')}
            and ${parts.equals('jobType', 'work.job_type')}
            and ${ended.reference} > ${asColumnTime('$3', ended)}
          order by ${ended.reference} desc
          limit ${endsPerTypeMax}
        ) as late)
      ) as seen
      where char_length(seen.run) <= ${nameCharsMax}
      group by seen.run
      order by max(seen.seen) desc, seen.run desc
      limit $4
    )
    select found.run as run_id, step.*
    from found
    cross join lateral (
      select ${columns.join(',\n        ')}
      from ${parts.from} as job
      where ${parts.equals('source', '$1::text')}
        and ${run} = found.run
        and ${parts.equals('jobType', 'any($2::text[])')}
      limit $5
    ) as step`;
  return { text: make(texts), bare: make(bare) };
};
