import { isConnectionError } from '@tocsin/runtime';
import type { Queryable } from '@tocsin/runtime';
import type { AdapterMapping, Relation } from './adapter-mapping.ts';
import { chooseRelation, memberOf, relationProblem, relationText } from './choose-relation.ts';
import type { TableFamily } from './choose-relation.ts';
import type { CatalogTable } from './read-catalog.ts';
import { readColumnNames, readTypes } from './read-types.ts';
import type { Offered } from './resolve-fields.ts';
import { quoteIdentifier } from './table-name.ts';

/** What statements read, and which columns it has; or why it cannot be read. */
type Readable =
  | { readonly problems: readonly string[] }
  | {
      /** The quoted table, or a relation in parentheses. */
      readonly from: string;
      readonly isRelation: boolean;
      readonly offered: Offered;
      /** The tables behind it, by quoted name. */
      readonly reads: readonly { readonly name: string; readonly rowSecurity: boolean }[];
    };

/** Chooses what is read of the tables, after checking that this user may read all of it. */
export const describeReadable = async (
  queryable: Queryable,
  mapping: AdapterMapping,
  family: TableFamily,
  user: string,
): Promise<Readable> => {
  const { watched } = family;
  const quoted = quotedName(watched);
  if (mapping.relations.length === 0) {
    const tables = [watched, ...readSiblings(mapping, family)];
    const problems = [...absentProblems(mapping, family), ...tables.flatMap((table) => privilegeProblems(table, user))];
    if (problems.length > 0) return { problems };
    return {
      from: quoted,
      isRelation: false,
      offered: { columns: watched.columns, name: quoted },
      reads: tables.map(asRead),
    };
  }
  // Without the privilege to look into the schema nothing is known of its tables, so the grant comes first.
  if (!watched.schemaUsable) return { problems: privilegeProblems(watched, user) };
  const relation = chooseRelation(mapping, family);
  if (relation === undefined) return { problems: [relationProblem(mapping, family, quoted)] };
  const tables = [...new Set([watched, ...neededTables(relation, family), ...readSiblings(mapping, family)])];
  const problems = [
    ...absentProblems(mapping, family),
    ...tables.flatMap((table) => privilegeProblems(table, user)),
    ...neededColumnProblems(relation, family, user),
  ];
  if (problems.length > 0) return { problems };
  return readRelation(queryable, mapping, relation, watched, tables);
};

const readRelation = async (
  queryable: Queryable,
  mapping: AdapterMapping,
  relation: Relation,
  watched: CatalogTable,
  tables: readonly CatalogTable[],
): Promise<Readable> => {
  const from = `(${relationText(relation.sql, watched)})`;
  const name = quotedName(watched);
  try {
    const names = await readColumnNames(queryable, from);
    const types = await readTypes(
      queryable,
      from,
      names.map((column) => `job.${quoteIdentifier(column)}`),
    );
    const columns = types.map((type, n) => ({ ...type, name: names[n] ?? '', selectable: true }));
    return { from, isRelation: true, offered: { columns, name }, reads: tables.map(asRead) };
  } catch (error) {
    if (isConnectionError(error) || !(error instanceof Error)) throw error;
    return {
      problems: [
        `${name} cannot be read the way adapter ${mapping.adapter} reads it (${relation.versions}): ${error.message}.`,
      ],
    };
  }
};

export const quotedName = ({ schema, table }: Pick<CatalogTable, 'schema' | 'table'>): string =>
  `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`;

const asRead = (table: CatalogTable) => ({ name: quotedName(table), rowSecurity: table.rowSecurity });

const readSiblings = (mapping: AdapterMapping, family: TableFamily): readonly CatalogTable[] =>
  mapping.reads.flatMap((name) => memberOf(family, name) ?? []);

const neededTables = ({ needs }: Relation, family: TableFamily): readonly CatalogTable[] =>
  Object.keys(needs).flatMap((name) => memberOf(family, name) ?? []);

const absentProblems = (mapping: AdapterMapping, family: TableFamily): readonly string[] =>
  mapping.reads
    .filter((name) => memberOf(family, name) === undefined)
    .map(
      (name) =>
        `Adapter ${mapping.adapter} reads ${quotedName({ schema: family.watched.schema, table: name })} beside ` +
        `${quotedName(family.watched)}, and there is no such table; watch the schema in which ${mapping.title} made its tables.`,
    );

const privilegeProblems = (found: CatalogTable, user: string): string[] => {
  const grantee = quoteIdentifier(user);
  const schema = quoteIdentifier(found.schema);
  const quoted = quotedName(found);
  if (!found.schemaUsable)
    return [
      `The user ${grantee} may not look into schema ${schema}; run: grant usage on schema ${schema} to ${grantee};`,
    ];
  if (found.columns.some(({ selectable }) => selectable)) return [];
  return [`The user ${grantee} may not read ${quoted}; run: grant select on ${quoted} to ${grantee};`];
};

/** Where single columns were granted, and not enough of them. */
const neededColumnProblems = ({ needs }: Relation, family: TableFamily, user: string): readonly string[] =>
  Object.entries(needs).flatMap(([name, columns]) => {
    const table = memberOf(family, name);
    if (table === undefined || !table.columns.some(({ selectable }) => selectable)) return [];
    const closed = columns.filter((column) =>
      table.columns.some((there) => there.name === column && !there.selectable),
    );
    if (closed.length === 0) return [];
    const list = closed.map(quoteIdentifier).join(', ');
    const quoted = quotedName(table);
    return [
      `Columns ${list} of ${quoted} may not be read; run: grant select (${list}) on ${quoted} to ${quoteIdentifier(user)};`,
    ];
  });
