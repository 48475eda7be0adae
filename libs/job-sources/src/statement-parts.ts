import type { AdapterMapping, JobField, JobStateName } from './adapter-mapping.ts';
import { comparesAsText } from './column-types.ts';
import type { ResolvedDetail, ResolvedField, SourceFields } from './resolved-field.ts';
import type { StatementParts } from './source-statements.ts';
import { identityText, instantText, nameText, payloadText } from './sql-expressions.ts';
import { quoteIdentifier, quoteLiteral } from './table-name.ts';

/** The SQL of a mapping's template, each `{name}` replaced by what `fill` makes of the name. */
export const fillTemplate = (template: string, fill: (name: string) => string): string =>
  template.replaceAll(/\{(\w+)\}/g, (_, name: string) => fill(name));

/** Names that a template of the mapping refers to. */
export const templateNames = (template: string): readonly string[] =>
  [...template.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);

/** Nulls of fields that a table lacks, of the type that conditions compare them as. */
const nullTypes: Readonly<Partial<Record<JobField, string>>> = {
  attempts: 'bigint',
  maxAttempts: 'bigint',
  failedCount: 'bigint',
  totalCount: 'bigint',
  dueAt: 'timestamptz',
  startedAt: 'timestamptz',
  heartbeatAt: 'timestamptz',
  finishedAt: 'timestamptz',
  createdAt: 'timestamptz',
  changedAt: 'timestamptz',
  payload: 'jsonb',
  checkpoint: 'jsonb',
};

/** What is read and what is known of it. */
export interface ReadShape {
  readonly mapping: AdapterMapping;
  /** The quoted watched table. */
  readonly table: string;
  /** The same, or a relation in parentheses. */
  readonly from: string;
  readonly fields: SourceFields;
  /** Further values, as SQL of any type. Default: none. */
  readonly details?: readonly ResolvedDetail[];
}

/** What the builders share, for one table. */
export const statementParts = ({ mapping, table, from, fields, details = [] }: ReadShape): StatementParts => {
  const ref = (field: JobField): string => fields[field]?.reference ?? `null::${nullTypes[field] ?? 'text'}`;
  const withField = (field: JobField, make: (reference: string, found: ResolvedField) => string): string => {
    const found = fields[field];
    return found === null ? 'null::text' : make(found.reference, found);
  };
  return {
    from,
    table,
    mapping,
    fields,
    details,
    ref,
    instant: (field) => withField(field, instantText),
    inStates: (...states) => stateCondition(mapping, fields, states),
    forGood: fillTemplate(mapping.failedForGood, (name) => ref(name as JobField)),
    equals: (field, text) =>
      withField(field, (reference, found) => `${reference}${comparesAsText(found) ? '' : '::text'} = ${text}`),
    run: runName(mapping, fields),
    runSearched: runSearched(mapping, fields, 'reference'),
    identityAt: `coalesce(${mapping.identityTimes.map((field) => withField(field, identityText)).join(', ')})`,
  };
};

/**
 * The condition that a row is in one of the states. Values of several states are listed together, in the order asked, as
 * the predicates of the recommended indexes list them.
 */
const stateCondition = (mapping: AdapterMapping, fields: SourceFields, states: readonly JobStateName[]): string => {
  const values = stateLabels(mapping, fields, states);
  const conditions = [
    ...(values === '' || fields.status === null ? [] : [`${fields.status.reference} in (${values})`]),
    ...states.flatMap((state) => {
      const recognised = mapping.states[state];
      return 'sql' in recognised ? [`(${fillTemplate(recognised.sql, (name) => `job.${quoteIdentifier(name)}`)})`] : [];
    }),
  ];
  const [only] = conditions;
  return only === undefined ? 'false' : conditions.length === 1 ? only : `(${conditions.join(' or ')})`;
};

/** Literals of the status values that mean one of the states, only those that the field can have; empty when there are none. */
export const stateLabels = (mapping: AdapterMapping, fields: SourceFields, states: readonly JobStateName[]): string => {
  const possible = fields.status?.enumLabels ?? null;
  return states
    .flatMap((state) => {
      const recognised = mapping.states[state];
      return 'sql' in recognised ? [] : recognised;
    })
    .filter((value) => possible === null || possible.includes(value))
    .map(quoteLiteral)
    .join(', ');
};

const runName = (mapping: AdapterMapping, { run, payload }: SourceFields): string => {
  if (run !== null) return nameText(run.reference);
  return payload === null || mapping.runKey === null
    ? 'null::text'
    : nameText(payloadText(payload.reference, payload, mapping.runKey));
};

/**
 * The id of the chain run as an index has it; null when there is none that could be searched.
 *
 * @param as how fields are written: for statements, or for index definitions
 */
export const runSearched = (
  { runKey }: AdapterMapping,
  { run, payload }: SourceFields,
  as: 'reference' | 'bare',
): string | null => {
  if (run !== null) return comparesAsText(run) ? run[as] : `(${run[as]}::text)`;
  return payload?.type === 'jsonb' && runKey !== null ? `(${payload[as]} ->> ${quoteLiteral(runKey)})` : null;
};

/** A field that every table must have is there once the table was found fit. */
export const requireField = (field: ResolvedField | null): ResolvedField => {
  if (field === null) throw new TypeError('A required field is missing; inspect the table before building statements.');
  return field;
};
