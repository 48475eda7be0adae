import type { AdapterMapping, FieldMapping, JobField, JobStateName } from '../adapter-mapping.ts';
import { ordinaryFailedForGood, ordinaryIndexes } from '../ordinary-indexes.ts';

/**
 * What `adapter: custom` begins with: nothing. `jobs[].columns` and `jobs[].states` fill it, see `customiseMapping`;
 * what is still missing after that, `customMappingProblems` says.
 */
export const customMapping: AdapterMapping = {
  adapter: 'custom',
  title: 'a table of your own',
  defaultTable: 'public.jobs',
  relations: [],
  fields: {},
  states: { waiting: [], running: [], failed: [], dead: [], succeeded: [], canceled: [] },
  failedForGood: ordinaryFailedForGood,
  runKey: 'chain_started_at',
  identityTimes: ['finishedAt', 'startedAt', 'dueAt', 'createdAt'],
  indexes: ordinaryIndexes,
  version: null,
  retention: { failuresMs: null, words: 'Say jobs[].retention when something deletes failed rows.' },
  deletesSuccesses: false,
  reads: [],
  traps: [
    'Without a time of the last change (updated_at) there is nothing to scan by.',
    'Without attempts and max_attempts every row in a failed state counts as failed for good.',
    'A status that no state names is never told; doctor counts such rows.',
    'A row that fails again after a restart by hand is a new failure only if an end, start or due time, or the attempts, differ.',
  ],
};

/** What a custom mapping must have, as it is written in the configuration, with an example. */
const needed: readonly (readonly [JobField, string, string])[] = [
  ['id', 'id', 'id: id'],
  ['jobType', 'job_type', 'job_type: kind, or for a table of one kind of job job_type: { value: nightly_import }'],
  ['status', 'status', 'status: state'],
  ['changedAt', 'updated_at', 'updated_at: modified_at'],
];

/** Fields that differ from row to row: a constant says nothing. */
const notConstant: readonly JobField[] = ['id', 'status', 'changedAt'];

/**
 * What keeps a mapping made of `adapter: custom` from being used, each text with its cure; empty when nothing does.
 *
 * @param mapping `customMapping` with `jobs[].columns` and `jobs[].states` applied
 * @param name of the watched table in the configuration
 */
export const customMappingProblems = (mapping: AdapterMapping, name: string): readonly string[] => {
  const problems = needed.flatMap(([field, key, example]) => {
    const found = mapping.fields[field];
    if (found === undefined)
      return [
        `Watched table ${name} (adapter custom): jobs[].columns does not say where ${key} is; add for example: ${example}`,
      ];
    if (notConstant.includes(field) && isConstant(found))
      return [
        `Watched table ${name} (adapter custom): ${key} is the same for every row; name the column that holds it, for example: ${example}`,
      ];
    return [];
  });
  const named = (state: JobStateName): boolean => {
    const values = mapping.states[state];
    return !Array.isArray(values) || values.length > 0;
  };
  if (!named('failed') && !named('dead'))
    problems.push(
      `Watched table ${name} (adapter custom): jobs[].states names no failed and no dead status, so nothing would ever be told; ` +
        'add for example: failed: [failed, error]',
    );
  const twice = valuesIn(mapping).filter((value, position, all) => all.indexOf(value) !== position);
  if (twice.length > 0)
    problems.push(
      `Watched table ${name} (adapter custom): jobs[].states names ${[...new Set(twice)].join(', ')} twice; each status has one meaning.`,
    );
  return problems;
};

const isConstant = (field: FieldMapping): boolean => 'value' in field;

const valuesIn = (mapping: AdapterMapping): readonly string[] =>
  Object.values(mapping.states).flatMap((values) => ('sql' in values ? [] : values));
