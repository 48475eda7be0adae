import type { AdapterMapping, IndexNeed, JobField, JobStateName } from './adapter-mapping.ts';
import { memberOf } from './choose-relation.ts';
import type { TableFamily } from './choose-relation.ts';
import { quotedName } from './describe-readable.ts';
import type { CatalogIndex, CatalogTable } from './read-catalog.ts';
import type { SourceFields } from './resolved-field.ts';
import { fillTemplate, runSearched, stateLabels, templateNames } from './statement-parts.ts';
import { quoteIdentifier } from './table-name.ts';

/** An index that a hot statement needs and the table does not have. */
export interface MissingIndex {
  /** What is slow without it. */
  readonly purpose: string;
  /** Creates it without blocking writers (a partitioned table's blocks them); cannot run inside a transaction. */
  readonly statement: string;
}

const identifierCharsMax = 63;

/**
 * The indexes that are missing, judged by the leading key columns of those that exist: whether the planner would use
 * one can only be told by asking it on a table of full size. Views and foreign tables have none to judge.
 */
export const missingIndexes = (
  mapping: AdapterMapping,
  fields: SourceFields,
  family: TableFamily,
): readonly MissingIndex[] =>
  mapping.indexes.flatMap((need) => {
    const table = memberOf(family, need.table ?? '{table}');
    if (table === undefined || !'rp'.includes(table.kind) || !isReadable(need, mapping, fields)) return [];
    const wanted = wantedIndex(need, mapping, fields);
    if (
      wanted.key.length === 0 ||
      table.indexes.some((index) => index.name === nameOf(need, table) || serves(index, wanted))
    )
      return [];
    return [{ purpose: need.purpose, statement: createStatement(need, wanted, table) }];
  });

/** A need that rests on a field, a state or run ids that the table lacks, or that no index can hold, is none. */
const isReadable = (need: IndexNeed, mapping: AdapterMapping, fields: SourceFields): boolean =>
  (!need.key.includes('{runId}') || runSearched(mapping, fields, 'bare') !== null) &&
  templateNames(need.where).every((name) => {
    const states = stateLists[name];
    return states === undefined || stateLabels(mapping, fields, states) !== '';
  }) &&
  need.fields.every((field) => fields[field]?.indexable === true);

interface WantedIndex {
  /** Parts of the key. */
  readonly key: readonly string[];
  readonly where: string;
  readonly leading: number;
  /** The status column, when rows of one status only are wanted: an index that begins with it is as good. */
  readonly status: string | null;
}

const wantedIndex = (need: IndexNeed, mapping: AdapterMapping, fields: SourceFields): WantedIndex => {
  const fill = (template: string): string =>
    fillTemplate(template, (name) => {
      const states = stateLists[name];
      if (states !== undefined) return stateLabels(mapping, fields, states);
      if (name === 'runId') return runSearched(mapping, fields, 'bare') ?? 'null';
      if (name === 'forGood')
        return fillTemplate(mapping.failedForGood, (field) => bareOrNull(fields, field as JobField));
      return bareOrNull(fields, name as JobField);
    });
  const parts = splitList(need.key);
  const kept = parts.filter((part) => {
    const field = /^\{(\w+)\}$/.exec(part)?.[1] as JobField | undefined;
    // A field that is the same for every row, or that there is not, orders nothing.
    return field === undefined || !(field in fields) || (fields[field] !== null && !fields[field].constant);
  });
  const leading = kept.filter((part) => parts.indexOf(part) < need.leading).length;
  const where = need.where === 'true' ? '' : fill(need.where);
  const status = fields.status?.bare ?? null;
  const ofOne = status !== null && /^\s*\S+ in \('[^',]*'\)/.test(where) && where.startsWith(status);
  return { key: kept.map(fill), where, leading: Math.max(1, leading), status: ofOne ? status : null };
};

/** Lists of status values that an index need may name, as in `{status} in ({failures})`. */
const stateLists: Readonly<Record<string, readonly JobStateName[]>> = {
  failures: ['failed', 'dead'],
  successes: ['succeeded'],
  running: ['running'],
  waiting: ['waiting'],
  failed: ['failed'],
  ended: ['succeeded', 'failed', 'dead'],
};

const bareOrNull = (fields: SourceFields, field: JobField): string => fields[field]?.bare ?? 'null';

/** Splits at commas outside of parentheses. */
const splitList = (list: string): readonly string[] => {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < list.length; at += 1) {
    const character = list[at];
    if (character === '(') depth += 1;
    else if (character === ')') depth -= 1;
    else if (character === ',' && depth === 0) {
      parts.push(list.slice(from, at).trim());
      from = at + 1;
    }
  }
  return [...parts, list.slice(from).trim()].filter((part) => part !== '');
};

/** What the index is called when it was created as recommended: then it is there, however its expressions are printed. */
const nameOf = (need: IndexNeed, { table }: CatalogTable): string =>
  `${table}_${need.nameSuffix}`.slice(-identifierCharsMax);

const createStatement = (need: IndexNeed, { key, where }: WantedIndex, table: CatalogTable): string => {
  const name = quoteIdentifier(nameOf(need, table));
  // Postgres builds an index of a partitioned table only while its writers wait.
  const how = table.kind === 'p' ? '' : 'concurrently ';
  const condition = where === '' ? '' : ` where ${where}`;
  return `create index ${how}${name} on ${quotedName(table)} (${key.join(', ')})${condition};`;
};

const serves = (index: CatalogIndex, { key, where, leading, status }: WantedIndex): boolean => {
  const wanted = key.slice(0, leading).map(normalise);
  const all = index.keys.map(normalise);
  const keys = status !== null && all[0] === normalise(status) && wanted[0] !== all[0] ? all.slice(1) : all;
  if (wanted.some((part, position) => keys[position] !== part)) return false;
  if (index.predicate === null) return true;
  if (where === '') return false;
  // A partial index serves when it speaks of the same values; which others it leaves out cannot be judged from its text.
  const predicate = index.predicate;
  const values = [...where.matchAll(/'([^']*)'/g)].map(([literal]) => literal);
  if (values.length === 0) return normalise(predicate) === normalise(where);
  return values.every((literal) => predicate.includes(literal) || predicate.includes(literal.slice(1, -1)));
};

const castPattern = /::"?[\w.]+"?( varying| precision| with(out)? time zone)?(\(\d+\))?(\[\])?/g;

const normalise = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll(castPattern, '')
    .replaceAll(/["()\s]/g, '');
