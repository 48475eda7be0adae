import { TocsinError } from '@tocsin/runtime';
import type { JobField, JobStateName } from './adapter-mapping.ts';
import { hasTimeZone } from './column-types.ts';
import type { JobSource } from './job-source.ts';
import { statementParts } from './statement-parts.ts';
import { quoteIdentifier, quoteLiteral } from './table-name.ts';

/** What a repair makes of a column: the database's time, that time and `$6` milliseconds, nothing, or the text `$6`. */
type NewValue = 'now' | 'later' | 'null' | 'text';

/** A change of a stuck job. */
export interface Repair {
  readonly to: 'dead' | 'waiting';
  readonly set: Readonly<Partial<Record<JobField, NewValue>>>;
}

/** Fields whose change means that somebody is at work on the job, in the order of the parameters `$2` to `$5`. */
export const signsOfLife = ['heartbeatAt', 'startedAt', 'attempts', 'changedAt'] as const satisfies readonly JobField[];

/**
 * Changes the job `$1` if it still runs and shows no sign of life other than those that were seen. Fields that are not
 * plain columns are left alone.
 *
 * @throws TocsinError `JANITOR_UNFIT` when the adapter's tables cannot be repaired by changing one row
 */
export const repairStatement = (source: JobSource, repair: Repair): string => {
  const { mapping, table, resolved } = source;
  const status = resolved.status?.column ?? null;
  if (source.isRelation || status === null)
    throw unfit(source, 'the state of its jobs is not one column of the watched table');
  const value = newStatus(source, repair.to);
  const parts = statementParts({ mapping, table, from: table, fields: resolved });
  const assignments = new Map([[status, quoteLiteral(value)]]);
  for (const [field, how] of Object.entries(repair.set) as [JobField, NewValue][]) {
    const column = resolved[field]?.column ?? null;
    const assigned = column === null ? null : assignment(source, field, how);
    if (column !== null && assigned !== null && !assignments.has(column)) assignments.set(column, assigned);
  }
  const unchanged = signsOfLife.map((field, n) => {
    const parameter = `$${n + 2}::text`;
    if (resolved[field] === null) return `${parameter} is null`;
    // As snapshots have them: a counter below zero counts nothing.
    const now =
      field === 'attempts'
        ? `case when ${parts.ref(field)} >= 0 then ${parts.ref(field)}::text end`
        : parts.instant(field);
    return `${now} is not distinct from ${parameter}`;
  });
  return `
    update ${table} as job
    set ${[...assignments].map(([column, assigned]) => `${quoteIdentifier(column)} = ${assigned}`).join(',\n      ')}
    where ${parts.ref('id')} = $1::text::${resolved.id?.type ?? 'text'}
      and ${parts.inStates('running')}
      and ${unchanged.join('\n      and ')}
      -- A repair may have no column to write its value to; the parameter needs a place all the same.
      and $6::text is not null`;
};

const assignment = ({ resolved }: JobSource, field: JobField, how: NewValue): string | null => {
  const found = resolved[field];
  if (found === null) return null;
  switch (how) {
    case 'null':
      return 'null';
    case 'text':
      if (found.type === 'jsonb' || found.type === 'json') return `to_json($6::text)::${found.type}`;
      return found.category === 'S' ? `$6::text::${found.type}` : null;
    case 'now':
    case 'later': {
      const time =
        how === 'now'
          ? 'statement_timestamp()'
          : "(statement_timestamp() + $6::text::bigint * interval '1 millisecond')";
      return hasTimeZone(found) ? time : `(${time} at time zone 'UTC')`;
    }
  }
};

/** The status that stands for the state in this table. */
const newStatus = (source: JobSource, to: Repair['to']): string => {
  const wanted: readonly JobStateName[] = to === 'dead' && forGoodByStatus(source) ? ['dead', 'failed'] : [to];
  const labels = source.resolved.status?.enumLabels ?? null;
  for (const state of wanted) {
    const recognised = source.mapping.states[state];
    const value =
      'sql' in recognised ? undefined : recognised.find((label) => labels === null || labels.includes(label));
    if (value !== undefined) return value;
  }
  throw unfit(
    source,
    to === 'dead' ? 'it has no status for jobs that are dead' : 'it has no status for jobs that wait',
  );
};

/** Whether every failed row is one for good, so that `failed` serves where there is no status for the dead. */
const forGoodByStatus = ({ mapping, resolved }: JobSource): boolean =>
  mapping.failedForGood === 'true' || resolved.attempts === null || resolved.maxAttempts === null;

const unfit = ({ name, mapping }: JobSource, why: string): TocsinError =>
  new TocsinError(
    'JANITOR_UNFIT',
    `Jobs of ${name} (adapter ${mapping.adapter}) cannot be repaired: ${why}. Set on_stuck: alert for them, and let ` +
      `${mapping.title} rescue its own jobs.`,
  );
