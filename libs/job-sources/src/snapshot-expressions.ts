import type { JobField } from './adapter-mapping.ts';
import { countedExpressions } from './detail-expressions.ts';
import type { StatementParts } from './source-statements.ts';
import { asTimestamptz, nameText, utcText } from './sql-expressions.ts';

/** The columns of a `SnapshotRow`; bare ones hold no text of the job. */
export interface SnapshotExpressions {
  readonly texts: readonly string[];
  readonly bare: readonly string[];
}

/** A field as timestamptz; a null without the field. */
export const timeOf = (parts: StatementParts, field: JobField): string => {
  const found = parts.fields[field];
  return found === null ? 'null::timestamptz' : asTimestamptz(found.reference, found);
};

/** Failed, but not for good: it waits for its next try. Null when every failure is for good. */
export const awaitsRetry = (parts: StatementParts): string | null =>
  parts.forGood === 'true' || parts.inStates('failed') === 'false'
    ? null
    : `(${parts.inStates('failed')} and (${parts.forGood}) is not true)`;

/** Since when a waiting job waits, see `JobSnapshot.dueAt`. */
export const waitsSince = (parts: StatementParts): string => {
  const since = `coalesce(${['dueAt', 'changedAt', 'createdAt']
    .map((field) => timeOf(parts, field as JobField))
    .join(', ')})`;
  return `(case when ${wasTried(parts)} then greatest(${since}, ${timeOf(parts, 'changedAt')}) else ${since} end)`;
};

/** Whether a job was tried before. */
export const wasTried = (parts: StatementParts): string => {
  const attempts = parts.fields.attempts === null ? [] : [`${parts.ref('attempts')} > 0`];
  const failed = parts.inStates('failed');
  const signs = [...attempts, ...(failed === 'false' ? [] : [failed])];
  return signs.length === 0 ? 'false' : `(${signs.join(' or ')})`;
};

/** What a job is doing, as a word of ours. */
const stateText = (parts: StatementParts): string => {
  // Conditions of a mapping may overlap; the state that would be told wins.
  const cases = [
    [parts.inStates('dead'), 'dead'],
    [parts.inStates('failed'), 'failed'],
    [parts.inStates('running'), 'running'],
    [parts.inStates('succeeded'), 'succeeded'],
    [parts.inStates('canceled'), 'canceled'],
    [parts.inStates('waiting'), 'waiting'],
  ] as const;
  return `case ${cases.map(([condition, state]) => `when ${condition} then '${state}'`).join(' ')} else 'unknown' end`;
};

export const snapshotExpressions = (parts: StatementParts): SnapshotExpressions => {
  const retry = awaitsRetry(parts);
  const isWaiting = retry === null ? parts.inStates('waiting') : `(${parts.inStates('waiting')} or ${retry})`;
  const text = (field: JobField): string => nameText(parts.ref(field));
  const bare = [
    `${parts.ref('id')}::text as id`,
    `${stateText(parts)} as state`,
    `(${parts.inStates('dead')} or ${parts.inStates('failed')} and (${parts.forGood})) is true as for_good`,
    `${parts.ref('attempts')} as attempts`,
    `${parts.ref('maxAttempts')} as max_attempts`,
    `case when ${isWaiting} then ${utcText(waitsSince(parts))} else ${parts.instant('dueAt')} end as due_at`,
    `${parts.instant('startedAt')} as started_at`,
    `${parts.instant('heartbeatAt')} as heartbeat_at`,
    `${parts.instant('finishedAt')} as finished_at`,
    `${parts.instant('createdAt')} as created_at`,
    `${parts.instant('changedAt')} as changed_at`,
  ];
  return {
    bare,
    texts: [
      ...bare,
      `${text('status')} as status`,
      `${text('source')} as source`,
      `${text('jobType')} as job_type`,
      `${text('targetId')} as target_id`,
      `${parts.run} as run`,
      `${text('stage')} as stage`,
      `${text('progress')} as progress`,
      ...Object.entries(countedExpressions(parts)).map(([column, sql]) => `${sql} as ${column}`),
    ],
  };
};
