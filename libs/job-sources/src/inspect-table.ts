import type { Queryable } from '@tocsin/runtime';
import type { AdapterMapping } from './adapter-mapping.ts';
import { customMapping, customMappingProblems } from './adapters/custom-mapping.ts';
import { buildStatements } from './build-statements.ts';
import { siblingNames } from './choose-relation.ts';
import type { TableFamily } from './choose-relation.ts';
import { describeReadable } from './describe-readable.ts';
import type { JobSource } from './job-source.ts';
import { missingIndexes } from './missing-indexes.ts';
import type { MissingIndex } from './missing-indexes.ts';
import { probeVersion } from './probe-version.ts';
import { findNamesakes, readCatalogServer, readCatalogSiblings, readCatalogTable } from './read-catalog.ts';
import type { CatalogServer } from './read-catalog.ts';
import { readTypes } from './read-types.ts';
import { jobFields } from './resolved-field.ts';
import type { SourceFields } from './resolved-field.ts';
import { resolveDetails, resolveFields } from './resolve-fields.ts';
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

/** A watched table as configured. */
export interface TableToInspect {
  /** Its name in the configuration. */
  readonly name: string;
  /** `schema.table`. */
  readonly table: string;
  /** How soon others delete finished rows, in milliseconds. Default: what the mapping knows of its library. */
  readonly retentionMs?: number;
}

/**
 * Looks at a watched table before it is read: is it there, may this user read it and what belongs to it, are the columns
 * what the mapping needs, is this the primary server, are the indexes there. Reads the catalogue only, never the table.
 *
 * @throws what the database answers when it cannot be asked; a wrong `table` gives a problem, no exception
 */
export const inspectTable = async (
  queryable: Queryable,
  mapping: AdapterMapping,
  { name, table, retentionMs }: TableToInspect,
): Promise<TableInspection> => {
  if (mapping.adapter === customMapping.adapter) {
    const gaps = customMappingProblems(mapping, name);
    if (gaps.length > 0) return unfit(gaps);
  }
  let parsed;
  try {
    parsed = parseTableName(table);
  } catch (error) {
    return unfit([`Watched table ${name}: ${error instanceof Error ? error.message : String(error)}`]);
  }
  const server = await readCatalogServer(queryable);
  const watched = await readCatalogTable(queryable, parsed);
  if (watched === null) {
    const namesakes = await findNamesakes(queryable, parsed.table.name);
    const cure =
      namesakes.length > 0 ? `did you mean ${namesakes.join(' or ')}?` : 'create it, or correct jobs[].table.';
    return unfit([`Watched table ${name}: there is no table ${table} in this database; ${cure}`]);
  }
  const problems = server.inRecovery
    ? [
        `Watched table ${name}: this server is a read replica, where rows may become visible in another order than they ` +
          'were committed, so that failures could be missed; use the address of the primary server.',
      ]
    : [];
  const siblings = await readCatalogSiblings(queryable, watched.schema, siblingNames(mapping));
  const family: TableFamily = { watched, siblings };
  const quoted = `${quoteIdentifier(watched.schema)}.${quoteIdentifier(watched.table)}`;
  const readable = await describeReadable(queryable, mapping, family, server.user);
  if ('problems' in readable) return unfit([...problems, ...readable.problems]);
  const { from, offered } = readable;
  const resolution = await resolveFields(mapping, offered, (expressions) => readTypes(queryable, from, expressions));
  const { details, problems: detailProblems } = resolveDetails(mapping, offered);
  problems.push(...resolution.problems, ...detailProblems);
  if (problems.length > 0) return unfit(problems);

  const { fields } = resolution;
  const statements = buildStatements({ mapping, table: quoted, from, fields, details });
  const source: JobSource = {
    name,
    table: quoted,
    mapping,
    resolved: fields,
    fields: new Set(jobFields.filter((field) => fields[field] !== null)),
    statements,
    isRelation: readable.isRelation,
    seesAllWriters: server.seesAllWriters,
    readsRuns: statements.runJobs !== null,
    countsParts: statements.partials !== null,
    hasHeartbeats: fields.heartbeatAt !== null,
    deletesSuccesses: mapping.deletesSuccesses,
    // "At once" is told by a warning; a table that was set up otherwise keeps its rows.
    retentionMs: retentionMs ?? (mapping.retention.failuresMs || null),
  };
  return {
    source,
    problems: [],
    warnings: [
      ...resolution.warnings,
      ...(mapping.retention.failuresMs === 0 && retentionMs === undefined
        ? [`${quoted}: ${mapping.retention.words}`]
        : []),
      ...payloadWarnings(mapping, fields, quoted),
      ...tableWarnings(readable.reads, watched.kind, quoted, server),
      ...(await probeVersion(queryable, mapping, watched)),
    ],
    missingIndexes: missingIndexes(mapping, fields, family),
  };
};

const unfit = (problems: readonly string[]): TableInspection => ({
  source: null,
  problems,
  warnings: [],
  missingIndexes: [],
});

const payloadWarnings = (
  { runKey }: AdapterMapping,
  { payload, run }: SourceFields,
  quoted: string,
): readonly string[] =>
  payload === null || payload.type === 'jsonb' || runKey === null || run !== null
    ? []
    : [
        `Column ${payload.column ?? 'payload'} of ${quoted} is ${payload.type}: the other jobs of a chain run cannot be ` +
          'looked up. Make it jsonb to be told what did not run.',
      ];

const tableWarnings = (
  reads: readonly { readonly name: string; readonly rowSecurity: boolean }[],
  kind: string,
  quoted: string,
  server: CatalogServer,
): readonly string[] => {
  const warnings = reads
    .filter(({ rowSecurity }) => rowSecurity)
    .map(
      (read) =>
        `Row-level security is active on ${read.name} for this user: rows it hides are never told. Grant bypassrls, or a policy that shows all.`,
    );
  if (!server.seesAllWriters)
    warnings.push(
      `The user ${quoteIdentifier(server.user)} cannot see transactions of other users, so failures committed late are found by the ` +
        `slower comparison only; run: grant pg_read_all_stats to ${quoteIdentifier(server.user)};`,
    );
  if ('vmf'.includes(kind))
    warnings.push(`${quoted} is not a plain table; whether its indexes serve the scan cannot be checked.`);
  return warnings;
};
