import type { OutcomeStatements, StatementParts } from './source-statements.ts';
import { detailExpressions } from './detail-expressions.ts';
import { horizonText } from './read-horizon.ts';
import { asColumnTime, asTimestamptz, errorText, nameText, positionText } from './sql-expressions.ts';
import { requireField } from './statement-parts.ts';

/** SQL by the name of the column it becomes. */
type Expressions = Readonly<Record<string, string>>;

/** Which rows are outcomes of one sort, and of what kind. */
interface OutcomeSort {
  /** In a state that may be one; written as the index is. */
  readonly isIn: string;
  /** One for good. */
  readonly isFinal: string;
  readonly kind: string;
  readonly counts: Expressions;
}

/** Statements that page through jobs that failed for good. */
export const failureStatements = (parts: StatementParts): OutcomeStatements => {
  const isDead = parts.inStates('dead');
  return outcomeStatements(parts, {
    isIn: parts.inStates('failed', 'dead'),
    isFinal: `(${isDead} or ${parts.forGood})`,
    kind: `case when ${isDead} then 'dead' else 'failed' end`,
    counts: {},
  });
};

/** The same for jobs that succeeded with parts that failed; null when the table counts none. */
export const partialStatements = (parts: StatementParts): OutcomeStatements | null =>
  parts.fields.failedCount === null
    ? null
    : outcomeStatements(parts, {
        isIn: `${parts.inStates('succeeded')} and ${parts.ref('failedCount')} > 0`,
        isFinal: 'true',
        kind: "'partial'",
        counts: { failed_count: parts.ref('failedCount'), total_count: parts.ref('totalCount') },
      });

/** Statements that page through outcomes, by (change time, id), and those that only look at identities. */
const outcomeStatements = (parts: StatementParts, sort: OutcomeSort): OutcomeStatements => {
  const { fields, ref } = parts;
  const { isIn, isFinal } = sort;
  const changedField = requireField(fields.changedAt);
  const idType = requireField(fields.id).type;
  const changed = ref('changedAt');
  const id = ref('id');

  const identity: Expressions = {
    id: `${id}::text`,
    changed: positionText(changed, changedField),
    kind: sort.kind,
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
    ...sort.counts,
  };
  const texts: Expressions = {
    ...facts,
    source: nameText(ref('source')),
    job_type: nameText(ref('jobType')),
    target_id: nameText(ref('targetId')),
    error: errorText(ref('error')),
    run: parts.run,
    ...detailExpressions(parts),
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
      from ${parts.from} as job
      where ${isIn}
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
  const from = `${changed} >= ${asColumnTime('$1::text', changedField)}`;
  // The plain comparison says nothing new, but where change time and id come from two joined tables only it reaches an index.
  const after = (first: string, second: string) =>
    `${changed} >= ${first}::text::${changedField.type}
        and (${changed}, ${id}) > (${first}::text::${changedField.type}, ${second}::text::${idType})`;

  const byId = `${isFinal} and ${id} = any($1::text[]::${idType}[])`;

  const times = (['changedAt', 'finishedAt', 'startedAt', 'createdAt'] as const).flatMap((field) => {
    const found = fields[field];
    return found === null ? [] : [`nullif(${asTimestamptz(ref(field), found)}, '-infinity')`];
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
