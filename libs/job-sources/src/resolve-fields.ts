import type { AdapterMapping, FieldMapping, JobField } from './adapter-mapping.ts';
import { holdsDocument, textType, typeProblem } from './column-types.ts';
import type { CatalogColumn, ValueType } from './column-types.ts';
import { pathExpression } from './path-expression.ts';
import { jobFields } from './resolved-field.ts';
import type { ResolvedDetail, ResolvedField, SourceFields } from './resolved-field.ts';
import { fillTemplate, templateNames } from './statement-parts.ts';
import { quoteIdentifier, quoteLiteral } from './table-name.ts';

/** What a table, or a relation, has to offer. */
export interface Offered {
  readonly columns: readonly CatalogColumn[];
  /** How messages call it: the quoted table. */
  readonly name: string;
}

/** Asks the server for the types of expressions over what is read (alias `job`). */
export type AskTypes = (expressions: readonly string[]) => Promise<readonly ValueType[]>;

/** The fields that were found, and what was wrong with the others. */
export interface Resolution {
  readonly fields: SourceFields;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** Most further values read of a row. */
export const detailsMax = 20;

/** Fields without which no statement can be built, whatever the mapping says. */
const indispensable: readonly JobField[] = ['id', 'changedAt'];

/** Finds where what is offered has each field of the mapping, and says what is missing or cannot be used. */
export const resolveFields = async (
  mapping: AdapterMapping,
  offered: Offered,
  askTypes: AskTypes,
): Promise<Resolution> => {
  const problems: string[] = [];
  const warnings: string[] = [];
  const found: Partial<Record<JobField, ResolvedField | null>> = {};
  const expressions: { readonly field: JobField; readonly resolved: Omit<ResolvedField, keyof ValueType> }[] = [];
  const complain = (required: boolean, problem: string, warning: string): void => {
    if (required) problems.push(problem);
    else warnings.push(warning);
  };

  const needed = indispensableFields(mapping);
  for (const field of jobFields) {
    const mapped = mapping.fields[field];
    if (mapped === undefined) continue;
    const required = needed.includes(field) || ('required' in mapped && mapped.required);
    if ('value' in mapped) found[field] = constantField(mapped.value);
    else if ('sql' in mapped) {
      const lacking = templateNames(mapped.sql).filter((name) => !isReadable(offered, name));
      if (lacking.length > 0) {
        const said = `${offered.name} has no readable column ${lacking.join(', ')}`;
        complain(
          required,
          `${said}, which adapter ${mapping.adapter} needs for ${field}; add it, or grant select on it.`,
          `${said}; ${field} is missing from messages.`,
        );
      } else expressions.push({ field, resolved: expressionField(mapped.sql) });
    } else {
      const column = offered.columns.find(({ name }) => name === mapped.column);
      const wrong = columnProblem(mapping, mapped, column, offered.name);
      if (wrong !== null) complain(required, wrong.problem, wrong.warning);
      else if (column !== undefined) found[field] = columnField(mapped, column);
    }
  }

  const types = await askTypes(expressions.map(({ resolved }) => resolved.reference));
  for (const [n, { field, resolved }] of expressions.entries()) {
    const mapped = mapping.fields[field];
    const type = types[n] ?? textType;
    const words = mapped !== undefined && 'use' in mapped ? typeProblem(type, mapped.use) : null;
    if (words === null) found[field] = { ...resolved, ...type };
    else problems.push(`The expression for ${field} in adapter ${mapping.adapter} gives ${type.type}, not ${words}.`);
  }
  problems.push(
    ...needed
      .filter((field) => isUnnamed(mapping.fields[field]))
      .map(
        (field) => `Adapter ${mapping.adapter} does not say which column of ${offered.name} holds ${field}; name it.`,
      ),
    ...stateProblems(mapping, offered),
  );
  const fields = Object.fromEntries(jobFields.map((field) => [field, found[field] ?? null])) as unknown as SourceFields;
  return { fields, problems: distinct(problems), warnings: distinct(warnings) };
};

/** Further values that the mapping names, and what was wrong with those that were asked for. */
export const resolveDetails = (
  mapping: AdapterMapping,
  offered: Offered,
): { readonly details: readonly ResolvedDetail[]; readonly problems: readonly string[] } => {
  const details: ResolvedDetail[] = [];
  const problems: string[] = [];
  for (const [name, mapped] of Object.entries(mapping.details ?? {}).slice(0, detailsMax)) {
    if ('value' in mapped) details.push({ name, reference: constantField(mapped.value).reference });
    else if ('sql' in mapped) details.push({ name, reference: expressionField(mapped.sql).reference });
    else {
      const column = offered.columns.find((one) => one.name === mapped.column);
      const wrong = columnProblem(mapping, mapped, column, offered.name);
      if (wrong !== null) {
        // What a preset would like to show may be missing; what the configuration names must be there.
        if (mapped.required) problems.push(`${wrong.problem} It is named by jobs[].details.${name}.`);
      } else if (column !== undefined) details.push({ name, reference: columnField(mapped, column).reference });
    }
  }
  return { details, problems };
};

/** Two fields may be missing for the same reason. */
const distinct = (texts: readonly string[]): readonly string[] => [...new Set(texts)];

const isReadable = ({ columns }: Offered, name: string): boolean =>
  columns.some((column) => column.name === name && column.selectable);

const constantField = (value: string): ResolvedField => {
  const literal = `${quoteLiteral(value)}::text`;
  return { ...textType, reference: literal, bare: `(${literal})`, column: null, constant: true, indexable: true };
};

const expressionField = (template: string): Omit<ResolvedField, keyof ValueType> => ({
  reference: `(${fillTemplate(template, (name) => `job.${quoteIdentifier(name)}`)})`,
  bare: `(${fillTemplate(template, quoteIdentifier)})`,
  column: null,
  constant: false,
  indexable: true,
});

type ColumnMapping = Extract<FieldMapping, { readonly column: string }>;

const columnField = ({ column: name, path, use }: ColumnMapping, column: CatalogColumn): ResolvedField => {
  const bare = quoteIdentifier(name);
  const { type, category, enumLabels } = column;
  if (path === undefined || path.length === 0)
    return {
      type,
      category,
      enumLabels,
      reference: `job.${bare}`,
      bare,
      column: name,
      constant: false,
      indexable: true,
    };
  const below = pathExpression(`job.${bare}`, column, path, use);
  return {
    ...below.type,
    reference: below.sql,
    bare: pathExpression(bare, column, path, use).sql,
    column: null,
    constant: false,
    indexable: column.type === 'jsonb',
  };
};

const columnProblem = (
  mapping: AdapterMapping,
  { column: name, path, use }: ColumnMapping,
  column: CatalogColumn | undefined,
  table: string,
): { readonly problem: string; readonly warning: string } | null => {
  if (column === undefined)
    return {
      problem: `${table} has no column ${name}, which adapter ${mapping.adapter} needs; add it, or watch a view that has it.`,
      warning: `${table} has no column ${name}; what it would say is missing from messages.`,
    };
  if (!column.selectable)
    return {
      problem: `Column ${name} of ${table} may not be read; grant select on it.`,
      warning: `Column ${name} of ${table} may not be read; it is left out.`,
    };
  const words = path === undefined || path.length === 0 ? typeProblem(column, use) : pathProblem(column, path, use);
  return words === null
    ? null
    : {
        problem: `Column ${name} of ${table} is ${column.type}; adapter ${mapping.adapter} needs ${words}. Watch a view that casts it.`,
        warning: `Column ${name} of ${table} is ${column.type}, not ${words}; it is left out.`,
      };
};

const pathProblem = (column: ValueType, path: readonly string[], use: ColumnMapping['use']): string | null => {
  if (!holdsDocument(column)) return `jsonb or json, to look below it for ${path.join('.')}`;
  return use === 'instant' ? `a column of timestamptz instead of a value in a document (${path.join('.')})` : null;
};

/** The state of a row needs the status only where it is recognised by its values. */
const indispensableFields = (mapping: AdapterMapping): readonly JobField[] =>
  Object.values(mapping.states).some((state) => !('sql' in state) && state.length > 0)
    ? [...indispensable, 'status']
    : indispensable;

const isUnnamed = (mapped: FieldMapping | undefined): boolean => mapped === undefined || 'value' in mapped;

const stateProblems = (mapping: AdapterMapping, offered: Offered): readonly string[] => {
  const names = Object.values(mapping.states).flatMap((state) => ('sql' in state ? templateNames(state.sql) : []));
  return [...new Set(names)]
    .filter((name) => !isReadable(offered, name))
    .map(
      (name) =>
        `${offered.name} has no readable column ${name}, by which adapter ${mapping.adapter} tells the state of a job; ` +
        'add it, or grant select on it.',
    );
};
