import type { StatementParts } from './source-statements.ts';
import { asColumnTime, asTimestamptz, utcText } from './sql-expressions.ts';
import { requireField } from './statement-parts.ts';
import { workConditions } from './work-conditions.ts';

/**
 * Successes of work before something: with a target ($1–$6: n, source, job type, since, before, target), without one
 * ($7–$11) and with whatever target ($12–$16); at most $17 of each. One index probe for each, as in `successesStatement`.
 *
 * A success dated in the future has just ended on a worker whose clock is ahead: it counts where `before` is not long ago.
 */
export const historyStatement = (parts: StatementParts): string => {
  const work = workConditions(parts);
  const newest = (target: string, time: 'finishedAt' | 'changedAt'): string => {
    const found = requireField(parts.fields[time]);
    const bound = (instant: string): string => asColumnTime(instant, found);
    return `
        (select ${asTimestamptz(found.reference, found)} as succeeded
        from ${parts.from} as job
        where ${parts.inStates('succeeded')}
          and ${work.isOfType}
          and ${target}
          and ${found.reference} > ${bound('work.since')}
          and ${found.reference} <= ${bound("(case when work.before >= now() - interval '1 hour' then 'infinity' else work.before end)")}
          and (${found.reference} <= ${bound('work.before')} or ${found.reference} > ${bound('now()')})
          ${time === 'finishedAt' || parts.fields.finishedAt === null ? '' : `and ${parts.ref('finishedAt')} is null`}
        order by ${found.reference} desc
        limit (select $17::bigint))`;
  };
  const group = (parameters: string, names: string, target: string): string => `
    select work.n, ${utcText('history.last_success')} as last_success_at, history.successes
    from unnest(${parameters}) as work (${names})
    cross join lateral (
      select max(least(success.succeeded, work.before)) as last_success, count(*) as successes
      from (${[...(parts.fields.finishedAt === null ? [] : [newest(target, 'finishedAt')]), newest(target, 'changedAt')]
        .join(`
        union all`)}
      ) as success
    ) as history`;
  return [
    group(
      '$1::int[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::text[]',
      'n, source, job_type, since, before, target_id',
      work.hasTarget,
    ),
    group(
      '$7::int[], $8::text[], $9::text[], $10::timestamptz[], $11::timestamptz[]',
      'n, source, job_type, since, before',
      work.hasNone,
    ),
    group(
      '$12::int[], $13::text[], $14::text[], $15::timestamptz[], $16::timestamptz[]',
      'n, source, job_type, since, before',
      'true',
    ),
  ].join(`
    union all`);
};
