import { TocsinError } from '@tocsin/runtime';
import type { ColumnChoice, JobFieldName, JobStatesConfig, JobTableConfig } from '@tocsin/runtime';
import type { AdapterMapping, ColumnUse, FieldMapping, JobField } from './adapter-mapping.ts';
import { customMapping } from './adapters/custom-mapping.ts';

/** What each name of the configuration means, and what its column must be. */
const fieldNames: Readonly<Record<JobFieldName, readonly [JobField, ColumnUse]>> = {
  id: ['id', 'key'],
  source: ['source', 'text'],
  job_type: ['jobType', 'text'],
  target_id: ['targetId', 'text'],
  status: ['status', 'state'],
  attempts: ['attempts', 'count'],
  max_attempts: ['maxAttempts', 'count'],
  payload: ['payload', 'document'],
  error: ['error', 'anything'],
  run: ['run', 'text'],
  due_at: ['dueAt', 'instant'],
  started_at: ['startedAt', 'instant'],
  heartbeat_at: ['heartbeatAt', 'instant'],
  finished_at: ['finishedAt', 'instant'],
  created_at: ['createdAt', 'instant'],
  updated_at: ['changedAt', 'instant'],
  failed_count: ['failedCount', 'count'],
  total_count: ['totalCount', 'count'],
  stage: ['stage', 'anything'],
  progress: ['progress', 'anything'],
  checkpoint: ['checkpoint', 'document'],
};

/**
 * A preset as the configuration of one table changes it. A column that the configuration names must be there, whatever
 * the preset thinks of its field. `adapter: custom` begins with nothing; without a source its jobs are of `custom`.
 *
 * @throws TocsinError `MAPPING_UNFIT` when `states` are given for a preset that does not tell states by a status column
 */
export const customiseMapping = (
  base: AdapterMapping | 'custom',
  { columns, states, details }: Partial<Pick<JobTableConfig, 'columns' | 'states' | 'details'>>,
): AdapterMapping => {
  const preset = base === 'custom' ? customMapping : base;
  const chosen = (Object.entries(columns ?? {}) as [JobFieldName, ColumnChoice][]).map(
    ([name, choice]): [JobField, FieldMapping] => {
      const [field, use] = fieldNames[name];
      return [field, toFieldMapping(choice, use)];
    },
  );
  const fields: AdapterMapping['fields'] = {
    ...(preset.adapter === 'custom' ? { source: { value: 'custom' } } : {}),
    ...preset.fields,
    ...Object.fromEntries(chosen),
  };
  return {
    ...preset,
    fields,
    ...(details === undefined ? {} : { details: withDetails(preset.details ?? {}, details) }),
    states: states === undefined ? preset.states : toStates(preset, fields, states),
    identityTimes: identityTimes(preset, fields),
  };
};

const toFieldMapping = (choice: ColumnChoice, use: ColumnUse): FieldMapping => {
  if ('value' in choice) return choice;
  const { column, path } = choice;
  return path.length === 0 ? { column, use, required: true } : { column, path, use, required: true };
};

/** Chosen ones come first: only so many are read of a row, and those that somebody asked for are never left out. */
const withDetails = (
  preset: NonNullable<AdapterMapping['details']>,
  chosen: JobTableConfig['details'],
): NonNullable<AdapterMapping['details']> => ({
  ...Object.fromEntries(Object.entries(chosen).map(([name, choice]) => [name, toFieldMapping(choice, 'anything')])),
  ...Object.fromEntries(Object.entries(preset).filter(([name]) => !Object.hasOwn(chosen, name))),
});

const toStates = (
  { adapter, title }: AdapterMapping,
  { status }: AdapterMapping['fields'],
  states: JobStatesConfig,
): AdapterMapping['states'] => {
  if (status !== undefined && !('column' in status))
    throw new TocsinError(
      'MAPPING_UNFIT',
      `jobs[].states cannot be given for adapter ${adapter}: ${title} has no column that holds the status. ` +
        'Name one by jobs[].columns.status, or leave jobs[].states out.',
    );
  const { waiting, running, failed, dead, succeeded, canceled } = states;
  return { waiting, running, failed, dead, succeeded, canceled };
};

/** A table that has no time for when a job ended, started or was due can only date its outcomes by the last change. */
const identityTimes = (preset: AdapterMapping, fields: AdapterMapping['fields']): readonly JobField[] =>
  preset.identityTimes.some((field) => field !== 'createdAt' && fields[field] !== undefined)
    ? preset.identityTimes
    : [...preset.identityTimes.filter((field) => field !== 'createdAt'), 'changedAt'];
