import type { AdapterMapping, Relation } from './adapter-mapping.ts';
import type { CatalogTable } from './read-catalog.ts';
import { fillTemplate } from './statement-parts.ts';
import { quoteIdentifier } from './table-name.ts';

/** The watched table and those beside it that its mapping speaks of. */
export interface TableFamily {
  readonly watched: CatalogTable;
  readonly siblings: ReadonlyMap<string, CatalogTable>;
}

/** Names of all tables besides the watched one that the mapping may read. */
export const siblingNames = ({ reads, relations, indexes }: AdapterMapping): readonly string[] => [
  ...new Set([
    ...reads,
    ...relations.flatMap(({ needs }) => Object.keys(needs).filter((name) => name !== watchedName)),
    ...indexes.flatMap(({ table }) => (table === undefined ? [] : [table])),
  ]),
];

/** How `needs` name the watched table. */
const watchedName = '{table}';

/** The table of the family with that name, as `needs` and `reads` name it. */
export const memberOf = ({ watched, siblings }: TableFamily, name: string): CatalogTable | undefined =>
  name === watchedName ? watched : siblings.get(name);

/** What the tables lack for a relation: `river_job.unique_states`. Empty: it can be read. */
export const unmetNeeds = ({ needs }: Relation, family: TableFamily): readonly string[] =>
  Object.entries(needs).flatMap(([name, columns]) => {
    const table = memberOf(family, name);
    if (table === undefined) return [`table ${name}`];
    return columns
      .filter((column) => !table.columns.some((there) => there.name === column))
      .map((column) => `column ${column} of ${table.table}`);
  });

/** The first relation whose needs are met; undefined when there is none. */
export const chooseRelation = (mapping: AdapterMapping, family: TableFamily): Relation | undefined =>
  mapping.relations.find((relation) => unmetNeeds(relation, family).length === 0);

/** The relation as it stands after `from`. `{schema}` and `{table}` are filled in, quoted. */
export const relationText = (sql: string, { schema, table }: Pick<CatalogTable, 'schema' | 'table'>): string =>
  fillTemplate(sql, (name) => {
    if (name === 'schema') return quoteIdentifier(schema);
    return name === 'table' ? `${quoteIdentifier(schema)}.${quoteIdentifier(table)}` : `{${name}}`;
  });

/** Why no relation fits, for the one that comes nearest. */
export const relationProblem = (mapping: AdapterMapping, family: TableFamily, quoted: string): string => {
  const lacks = mapping.relations
    .map((relation) => ({ relation, unmet: unmetNeeds(relation, family) }))
    .toSorted((a, b) => a.unmet.length - b.unmet.length)[0];
  const where = lacks === undefined ? '' : ` (${lacks.relation.versions}: there is no ${lacks.unmet.join(', no ')})`;
  return (
    `${quoted} is not laid out as adapter ${mapping.adapter} knows ${mapping.title}${where}; watch the table that ` +
    `${mapping.title} created (${mapping.defaultTable}), or map its columns with adapter custom.`
  );
};
