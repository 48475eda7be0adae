import type { AdapterMapping, IndexNeed, JobField } from './adapter-mapping.ts';
import type { CatalogIndex, CatalogTable } from './read-catalog.ts';
import type { SourceColumns } from './source-statements.ts';
import { fillTemplate } from './statement-parts.ts';
import { quoteIdentifier, quoteLiteral } from './table-name.ts';

/** An index that a hot statement needs and the table does not have. */
export interface MissingIndex {
  /** What is slow without it. */
  readonly purpose: string;
  /** Creates it without blocking writers; cannot run inside a transaction. */
  readonly statement: string;
}

const identifierCharsMax = 63;

/**
 * The indexes that are missing, judged by the leading key columns of those that exist: whether the planner would use
 * one can only be told by asking it on a table of full size.
 */
export const missingIndexes = (
  found: CatalogTable,
  mapping: AdapterMapping,
  columns: SourceColumns,
  quotedTable: string,
): readonly MissingIndex[] => {
  const ref = (field: JobField): string => quoteIdentifier(columns[field]?.name ?? '');
  const fill = (template: string): string =>
    fillTemplate(template, (name) => {
      if (name === 'failures') return labels([...mapping.states.failed, ...mapping.states.dead], columns);
      if (name === 'successes') return labels(mapping.states.succeeded, columns);
      if (name === 'runKey') return mapping.runKey;
      return ref(name as JobField);
    });
  return mapping.indexes
    .filter((need) => isReadable(need, columns) && !found.indexes.some((index) => serves(index, need, fill)))
    .map((need) => ({
      purpose: need.purpose,
      statement:
        `create index concurrently ${quoteIdentifier(`${found.table}_${need.nameSuffix}`.slice(-identifierCharsMax))} ` +
        `on ${quotedTable} (${fill(need.key)}) where ${fill(need.where)};`,
    }));
};

/** A need that rests on a column the table lacks, or on a payload that is not jsonb, is none. */
const isReadable = (need: IndexNeed, columns: SourceColumns): boolean =>
  need.fields.every((field) => columns[field] !== null && (field !== 'payload' || columns[field].type === 'jsonb'));

const serves = (index: CatalogIndex, need: IndexNeed, fill: (template: string) => string): boolean => {
  const wanted = fill(need.key).split(', ').slice(0, need.leading).map(normalise);
  const keys = index.keys.slice(0, need.leading).map(normalise);
  if (wanted.some((key, position) => keys[position] !== key)) return false;
  if (index.predicate === null) return true;
  // A partial index serves when it speaks of the same values; which others it leaves out cannot be judged from its text.
  const predicate = index.predicate;
  const values = [...fill(need.where).matchAll(/'([^']*)'/g)].map(([literal]) => literal);
  return values.every((literal) => predicate.includes(literal) || predicate.includes(literal.slice(1, -1)));
};

const normalise = (key: string): string => key.replaceAll(/["()\s]|::[a-z ]+/g, '');

const labels = (states: readonly string[], columns: SourceColumns): string => {
  const known = columns.status?.enumLabels ?? null;
  return states
    .filter((state) => known === null || known.includes(state))
    .map(quoteLiteral)
    .join(', ');
};
