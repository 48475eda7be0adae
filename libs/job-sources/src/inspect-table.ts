import type { Queryable } from '@tocsin/runtime';
import type { AdapterMapping, JobField } from './adapter-mapping.ts';
import { buildStatements } from './build-statements.ts';
import { typeProblem } from './column-types.ts';
import type { JobSource } from './job-source.ts';
import { missingIndexes } from './missing-indexes.ts';
import type { MissingIndex } from './missing-indexes.ts';
import type { CatalogTable } from './read-catalog.ts';
import { findNamesakes, readCatalogServer, readCatalogTable } from './read-catalog.ts';
import type { SourceColumns } from './source-statements.ts';
import { parseTableName, quoteIdentifier } from './table-name.ts';

/** What was found wrong with a watched table; each text names the table, the column and the cure. */
export interface TableInspection {
  /** Fit to be read; null when there are problems. */
  readonly source: JobSource | null;
  /** Each of these keeps the table from being watched. */
  readonly problems: readonly string[];
  /** It is watched, but not as well as it could be. */
  readonly warnings: readonly string[];
  /** Watched, but slowly: the statements that create what is missing. */
  readonly missingIndexes: readonly MissingIndex[];
}

/**
 * Looks at a watched table before it is read: is it there, may this user read it, are the columns what the mapping
 * needs, is this the primary server, are the indexes there. Reads the catalogue only, never the table.
 *
 * @param name the table's name in the configuration
 * @param table `schema.table` as configured
 * @throws what the database answers when it cannot be asked; a wrong `table` gives a problem, no exception
 */
export const inspectTable = async (
  queryable: Queryable,
  mapping: AdapterMapping,
  { name, table }: { readonly name: string; readonly table: string },
): Promise<TableInspection> => {
  let parsed;
  try {
    parsed = parseTableName(table);
  } catch (error) {
    return unfit([`Watched table ${name}: ${error instanceof Error ? error.message : String(error)}`]);
  }
  const server = await readCatalogServer(queryable);
  const found = await readCatalogTable(queryable, parsed);
  if (found === null) {
    const namesakes = await findNamesakes(queryable, parsed.table.name);
    const cure =
      namesakes.length > 0 ? `did you mean ${namesakes.join(' or ')}?` : 'create it, or correct jobs[].table.';
    return unfit([`Watched table ${name}: there is no table ${table} in this database; ${cure}`]);
  }
  const quoted = `${quoteIdentifier(found.schema)}.${quoteIdentifier(found.table)}`;
  const problems = server.inRecovery
    ? [
        `Watched table ${name}: this server is a read replica, where rows may become visible in another order than they ` +
          'were committed, so that failures could be missed; use the address of the primary server.',
      ]
    : [];
  problems.push(...privilegeProblems(found, quoted, server.user), ...columnProblems(found, mapping, quoted));
  if (problems.length > 0) return unfit(problems);

  const columns = sourceColumns(found, mapping);
  const source: JobSource = {
    name,
    table: quoted,
    mapping,
    statements: buildStatements(mapping, quoted, columns),
    seesAllWriters: server.seesAllWriters,
    readsRuns: columns.payload?.type === 'jsonb',
  };
  return {
    source,
    problems: [],
    warnings: warningsAbout(found, columns, mapping, quoted, server),
    missingIndexes: 'rp'.includes(found.kind) ? missingIndexes(found, mapping, columns, quoted) : [],
  };
};

const unfit = (problems: readonly string[]): TableInspection => ({
  source: null,
  problems,
  warnings: [],
  missingIndexes: [],
});

const fields = (mapping: AdapterMapping) =>
  Object.entries(mapping.columns) as [JobField, AdapterMapping['columns'][JobField]][];

/** The table's column of each field; null where an optional one is missing or cannot be used. */
const sourceColumns = (found: CatalogTable, mapping: AdapterMapping): SourceColumns =>
  Object.fromEntries(
    fields(mapping).map(([field, { column, use }]) => {
      const there = found.columns.find(({ name }) => name === column);
      return [field, there !== undefined && there.selectable && typeProblem(there, use) === null ? there : null];
    }),
  ) as unknown as SourceColumns;

const privilegeProblems = (found: CatalogTable, quoted: string, user: string): string[] => {
  const grantee = quoteIdentifier(user);
  const schema = quoteIdentifier(found.schema);
  if (!found.schemaUsable)
    return [
      `The user ${grantee} may not look into schema ${schema}; run: grant usage on schema ${schema} to ${grantee};`,
    ];
  if (found.columns.some(({ selectable }) => selectable)) return [];
  return [`The user ${grantee} may not read ${quoted}; run: grant select on ${quoted} to ${grantee};`];
};

const columnProblems = (found: CatalogTable, mapping: AdapterMapping, quoted: string): string[] => {
  if (!found.schemaUsable || !found.columns.some(({ selectable }) => selectable)) return [];
  return fields(mapping).flatMap(([, { column, use, required }]) => {
    const there = found.columns.find(({ name }) => name === column);
    if (!required) return [];
    if (there === undefined)
      return [
        `${quoted} has no column ${column}, which adapter ${mapping.adapter} needs; add it, or watch a view that has it.`,
      ];
    if (!there.selectable) return [`Column ${column} of ${quoted} may not be read; grant select on it.`];
    const words = typeProblem(there, use);
    return words === null
      ? []
      : [
          `Column ${column} of ${quoted} is ${there.type}; adapter ${mapping.adapter} needs ${words}. Watch a view that casts it.`,
        ];
  });
};

const warningsAbout = (
  found: CatalogTable,
  columns: SourceColumns,
  mapping: AdapterMapping,
  quoted: string,
  server: { readonly user: string; readonly seesAllWriters: boolean },
): string[] => {
  const warnings = fields(mapping).flatMap(([field, { column, use }]) => {
    if (columns[field] !== null) return [];
    const there = found.columns.find(({ name }) => name === column);
    if (there === undefined) return [`${quoted} has no column ${column}; what it would say is missing from messages.`];
    const why = there.selectable ? `is ${there.type}, not ${typeProblem(there, use) ?? 'usable'}` : 'may not be read';
    return [`Column ${column} of ${quoted} ${why}; it is left out.`];
  });
  if (columns.payload !== null && columns.payload.type !== 'jsonb')
    warnings.push(
      `Column ${columns.payload.name} of ${quoted} is ${columns.payload.type}: the other jobs of a chain run cannot be ` +
        'looked up. Make it jsonb to be told what did not run.',
    );
  if (found.rowSecurity)
    warnings.push(
      `Row-level security is active on ${quoted} for this user: rows it hides are never told. Grant bypassrls, or a policy that shows all.`,
    );
  if (!server.seesAllWriters)
    warnings.push(
      `The user ${quoteIdentifier(server.user)} cannot see transactions of other users, so failures committed late are found by the ` +
        `slower comparison only; run: grant pg_read_all_stats to ${quoteIdentifier(server.user)};`,
    );
  if ('vmf'.includes(found.kind))
    warnings.push(`${quoted} is not a plain table; whether its indexes serve the scan cannot be checked.`);
  return warnings;
};
