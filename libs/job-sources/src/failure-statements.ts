import type { JobField } from './adapter-mapping.ts';
import type { SourceStatements, StatementParts } from './source-statements.ts';
import { horizonText } from './read-horizon.ts';
import { asColumnTime, asTimestamptz, errorText, nameText, positionText } from './sql-expressions.ts';
import { fillTemplate, requireColumn } from './statement-parts.ts';

type FailureStatements = Omit<SourceStatements, 'successes' | 'runJobs' | 'greenRuns'>;

/** SQL by the name of the column it becomes. */
type Expressions = Readonly<Record<string, string>>;

/** Statements that page through failures, by (change time, id), and those that only look at identities. */
export const failureStatements = (parts: StatementParts): FailureStatements => {
  const { mapping, columns, ref } = parts;
  const { failed, dead } = mapping.states;
  const isFailure = parts.inStates([...failed, ...dead]);
  const isDead = parts.inStates(dead);
  const isFinal = `(${isDead} or ${fillTemplate(mapping.failedForGood, (name) => ref(name as JobField))})`;
  const changed = ref('changedAt');
  const id = ref('id');
  const changedType = columns.changedAt?.type ?? 'timestamptz';
  const idType = columns.id?.type ?? 'text';

  const identity: Expressions = {
    id: `${id}::text`,
    changed: positionText(changed, requireColumn(columns.changedAt)),
    kind: `case when ${isDead} then 'dead' else 'failed' end`,
    attempts: ref('attempts'),
    identity_at: parts.identityAt,
  };
  const facts: Expressions = {
    ...identity,
    changed_at: parts.instant('changedAt'),
    finished_at: parts.instant('finishedAt'),
    started_at: parts.instant('startedAt'),
    created_at: parts.instant('createdAt'),
    unfinished: `${ref('finishedAt')} is null`,
    max_attempts: ref('maxAttempts'),
  };
  const texts: Expressions = {
    ...facts,
    source: nameText(ref('source')),
    job_type: nameText(ref('jobType')),
    target_id: nameText(ref('targetId')),
    error: errorText(ref('error')),
    run: parts.run,
  };

  const select = (expressions: Expressions, where: string): string => `
    with horizon as materialized (${horizonText}
    ), page as (
      select
        ${Object.entries(expressions)
          .map(([name, expression]) => `${expression} as ${name}`)
          .join(',\n        ')},
        ${changed} as changed_raw,
        ${id} as id_raw
      from ${parts.table} as job
      where ${isFailure}
        and ${where}
    )
    select
      horizon.read_at,
      horizon.oldest_writer_at,
      ${Object.keys(expressions)
        .map((name) => `page.${name}`)
        .join(', ')}
    from horizon
    left join page on true
    order by page.changed_raw, page.id_raw`;

  // Relies on an index on (changed, id) where status is a failure. The bare columns are compared, parameters are cast.
  // An amount that the planner cannot see makes it expect a tenth of the rows, and so read them in the order of the index.
  // Rejected: `limit $2`. Without statistics (a table that was just filled) it sorts all rows for each page: 340 ms
  // instead of 5 at 100,000 failures, PostgreSQL 18.4, November 2026.
  const page = (expressions: Expressions, where: string, limit: string): string =>
    select(
      expressions,
      `${where}
      order by ${changed}, ${id}
      limit (select ${limit}::bigint)`,
    );
  const from = `${changed} >= ${asColumnTime('$1::text', requireColumn(columns.changedAt))}`;
  const after = (first: string, second: string) =>
    `(${changed}, ${id}) > (${first}::text::${changedType}, ${second}::text::${idType})`;

  const byId = `${isFinal} and ${id} = any($1::text[]::${idType}[])`;

  const times = (['changedAt', 'finishedAt', 'startedAt', 'createdAt'] as const).flatMap((field) => {
    const column = columns[field];
    return column === null ? [] : [`nullif(${asTimestamptz(ref(field), column)}, '-infinity')`];
  });
  const looked: Expressions = {
    ...identity,
    wanted: `${isFinal} and coalesce(greatest(${times.join(', ')}) >= now() - $1 * interval '1 millisecond', true)`,
  };
  return {
    failuresFrom: page(texts, `${isFinal} and ${from}`, '$2'),
    failuresAfter: page(texts, `${isFinal} and ${after('$1', '$2')}`, '$3'),
    bareFailuresFrom: page(facts, `${isFinal} and ${from}`, '$2'),
    bareFailuresAfter: page(facts, `${isFinal} and ${after('$1', '$2')}`, '$3'),
    skimFrom: page(identity, `${isFinal} and ${from}`, '$2'),
    skimAfter: page(identity, `${isFinal} and ${after('$1', '$2')}`, '$3'),
    failuresById: select(texts, byId),
    bareFailuresById: select(facts, byId),
    identitiesFrom: page(looked, `${changed} >= '-infinity'`, '$2'),
    identitiesAfter: page(looked, after('$3', '$4'), '$2'),
    undatedFrom: page(looked, `${changed} is null`, '$2'),
    undatedAfter: page(looked, `${changed} is null and ${id} > $3::text::${idType}`, '$2'),
  };
};
