import type { StatementParts } from './source-statements.ts';
import { asColumnTime, nameText, utcText } from './sql-expressions.ts';
import { requireField } from './statement-parts.ts';
import { workConditions } from './work-conditions.ts';

/** The statement that finds the latest successes of many pieces of work at once, each by its own index probe. */
export const successesStatement = (parts: StatementParts): string => {
  const { fields, ref } = parts;
  const work = workConditions(parts);
  const finished = fields.finishedAt;
  const changed = requireField(fields.changedAt);
  const found = `
        ${ref('id')}::text as id,
        ${nameText(ref('targetId'))} as target_id,
        ${parts.identityAt} as identity_at,
        ${ref('attempts')} as attempts,
        coalesce(${parts.instant('finishedAt')}, ${parts.instant('changedAt')}) as finished_at,
        ${parts.run} as run`;
  // Relies on an index on (source, job type, target, finished) where status is a success.
  const latest = (target: string, time: 'finishedAt' | 'changedAt', since: string) => `
      (select ${found}
      from ${parts.from} as job
      where ${parts.inStates('succeeded')}
        and ${work.isOfType}
        and ${target}
        and ${ref(time)} > ${since}
        ${time === 'finishedAt' || finished === null ? '' : `and ${ref('finishedAt')} is null`}
      order by ${ref(time)} desc
      limit $14)`;
  const group = (parameters: string, names: string, target: string) => `
    select work.n, ${utcText('now()')} as read_at, success.*
    from unnest(${parameters}) as work (${names})
    cross join lateral (${[
      ...(finished === null ? [] : [latest(target, 'finishedAt', asColumnTime('work.since', finished))]),
      latest(target, 'changedAt', asColumnTime('work.since', changed)),
    ].join(`
      union all`)}
    ) as success`;
  return [
    group(
      '$1::int[], $2::text[], $3::text[], $4::timestamptz[], $5::text[]',
      'n, source, job_type, since, target_id',
      work.hasTarget,
    ),
    group('$6::int[], $7::text[], $8::text[], $9::timestamptz[]', 'n, source, job_type, since', work.hasNone),
    group('$10::int[], $11::text[], $12::text[], $13::timestamptz[]', 'n, source, job_type, since', 'true'),
  ].join(`
    union all`);
};
