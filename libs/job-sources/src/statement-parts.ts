import type { AdapterMapping, JobField } from './adapter-mapping.ts';
import type { CatalogColumn } from './column-types.ts';
import { comparesAsText } from './column-types.ts';
import type { SourceColumns, StatementParts } from './source-statements.ts';
import { identityText, instantText, nameText, payloadText } from './sql-expressions.ts';
import { quoteIdentifier, quoteLiteral } from './table-name.ts';

/** The SQL of a mapping's template, each `{name}` replaced by what `fill` makes of the name. */
export const fillTemplate = (template: string, fill: (name: string) => string): string =>
  template.replaceAll(/\{(\w+)\}/g, (_, name: string) => fill(name));

/** What the builders share, for one table. */
export const statementParts = (mapping: AdapterMapping, table: string, columns: SourceColumns): StatementParts => {
  const ref = (field: JobField): string => {
    const column = columns[field];
    return column === null ? 'null::text' : `job.${quoteIdentifier(column.name)}`;
  };
  const withColumn = (field: JobField, make: (reference: string, column: CatalogColumn) => string): string => {
    const column = columns[field];
    return column === null ? 'null::text' : make(ref(field), column);
  };
  const labels = columns.status?.enumLabels ?? null;
  const identityTimes = mapping.identityTimes.map((field) => withColumn(field, identityText));
  return {
    table,
    mapping,
    columns,
    ref,
    instant: (field) => withColumn(field, instantText),
    inStates: (states) => {
      const possible = states.filter((state) => labels === null || labels.includes(state)).map(quoteLiteral);
      return possible.length === 0 ? 'false' : `${ref('status')} in (${possible.join(', ')})`;
    },
    equals: (field, text) =>
      withColumn(field, (reference, column) => `${reference}${comparesAsText(column) ? '' : '::text'} = ${text}`),
    run: withColumn('payload', (reference, column) => nameText(payloadText(reference, column, mapping.runKey))),
    identityAt: `coalesce(${identityTimes.join(', ')})`,
  };
};

/** A column that the mapping requires is there once the table was found fit. */
export const requireColumn = (column: CatalogColumn | null): CatalogColumn => {
  if (column === null)
    throw new TypeError('A required column is missing; inspect the table before building statements.');
  return column;
};
