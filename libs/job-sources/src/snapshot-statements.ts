import type { JobField } from './adapter-mapping.ts';
import { awaitsRetry, snapshotExpressions, timeOf, wasTried } from './snapshot-expressions.ts';
import type { SnapshotStatements, StatementParts } from './source-statements.ts';
import { utcText } from './sql-expressions.ts';
import { requireField } from './statement-parts.ts';

/** Statements that read jobs as their rows stand. Each answers the time of reading even when there is no job. */
export const snapshotStatements = (parts: StatementParts): SnapshotStatements => {
  const { texts, bare } = snapshotExpressions(parts);
  const both = (make: (columns: readonly string[]) => string) => ({ text: make(texts), bare: make(bare) });
  return {
    running: both((columns) => withClock(running(parts, columns))),
    waiting: both((columns) => withClock(waiting(parts, columns))),
    byId: both((columns) => withClock(byId(parts, columns))),
  };
};

/** The rows come in the order of `ordered`, one of their columns. */
const withClock = (jobs: string): string => `
    with clock as materialized (
      select ${utcText('statement_timestamp()')} as read_at
    )
    select clock.read_at, snapshot.*
    from clock
    left join (${jobs}
    ) as snapshot on true
    order by snapshot.ordered nulls first, snapshot.id`;

/** Relies on an index over the running rows; there are few of them, so they are sorted. */
const running = (parts: StatementParts, columns: readonly string[]): string => {
  const [heartbeat, changed, started, created] = (['heartbeatAt', 'changedAt', 'startedAt', 'createdAt'] as const).map(
    (field) => timeOf(parts, field),
  );
  return `
      select ${columns.join(',\n        ')},
        case when ${heartbeat} is not null then greatest(${heartbeat}, ${started})
          else coalesce(greatest(${changed}, ${started}), ${created}) end as ordered
      from ${parts.from} as job
      where ${parts.inStates('running')}
      order by ordered nulls first
      limit $1`;
};

/**
 * One branch for each sort of waiting row and for each time that may say since when it waits, so that every branch reads
 * an index in its own order. The bare columns are compared.
 */
const waiting = (parts: StatementParts, columns: readonly string[]): string => {
  const retry = awaitsRetry(parts);
  const sorts = [parts.inStates('waiting'), ...(retry === null ? [] : [retry])].filter((sort) => sort !== 'false');
  const times = (['dueAt', 'changedAt', 'createdAt'] as const).filter((field) => parts.fields[field] !== null);
  const branches = sorts.flatMap((isWaiting) =>
    times.map((field, n) => {
      const conditions = [
        isWaiting,
        `coalesce(${parts.ref('source')}::text, '') || E'\\n' || coalesce(${parts.ref('jobType')}::text, '') <> all ($3::text[])`,
        ...times.slice(0, n).map((earlier) => `${parts.ref(earlier)} is null`),
        `${parts.ref(field)} <= ${cutoff(parts, field)}`,
        ...(field === 'changedAt' || parts.fields.changedAt === null
          ? []
          : [`(${wasTried(parts)} and ${parts.ref('changedAt')} > ${cutoff(parts, 'changedAt')}) is not true`]),
      ];
      return `
        (select ${columns.join(',\n          ')},
          ${timeOf(parts, field)} as ordered
        from ${parts.from} as job
        where ${conditions.join('\n          and ')}
        order by ${parts.ref(field)}
        limit (select $2::bigint))`;
    }),
  );
  const none = `
        (select ${columns.join(', ')}, null::timestamptz as ordered from ${parts.from} as job where false)`;
  return `
      select * from (${(branches.length === 0 ? [none] : branches).join(`
        union all`)}
      ) as branch
      where $1::bigint >= 0 and $2::bigint > 0 and $3::text[] is not null
      order by branch.ordered
      limit $2`;
};

const cutoff = (parts: StatementParts, field: JobField): string => {
  const latest = "(statement_timestamp() - $1::bigint * interval '1 millisecond')";
  return requireField(parts.fields[field]).type === 'timestamp with time zone'
    ? latest
    : `(${latest} at time zone 'UTC')`;
};

const byId = (parts: StatementParts, columns: readonly string[]): string => `
      select ${columns.join(',\n        ')},
        null::timestamptz as ordered
      from ${parts.from} as job
      where ${parts.ref('id')} = any($1::text[]::${requireField(parts.fields.id).type}[])`;
