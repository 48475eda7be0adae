import { TocsinError } from './errors.ts';
import { knownMigrations } from './migrations-folder.ts';
import type { Queryable } from './pool.ts';

/**
 * How the database's schema relates to this version of the product. `missing`: nothing was ever migrated. `behind`:
 * `pending` must still run. `ahead`: a newer version has run `unknown`, whatever else is pending.
 */
export type MigrationStatus = {
  readonly state: 'current' | 'behind' | 'ahead' | 'missing';
  readonly pending: readonly string[];
  readonly unknown: readonly string[];
};

/** Compares the migrations recorded in tocsin.migrations with the files this version brings. Changes nothing. */
export async function migrationStatus({ queryable }: { readonly queryable: Queryable }): Promise<MigrationStatus> {
  const known = await knownMigrations();
  if (!(await hasMigrationsTable(queryable))) return { state: 'missing', pending: known, unknown: [] };
  const { rows } = await queryable.query<{ readonly name: string }>('select name from tocsin.migrations order by id');
  const applied = new Set(rows.map((row) => row.name));
  const pending = known.filter((name) => !applied.has(name));
  const unknown = [...applied].filter((name) => !known.includes(name));
  if (unknown.length > 0) return { state: 'ahead', pending, unknown };
  return { state: pending.length > 0 ? 'behind' : 'current', pending, unknown };
}

/**
 * Every process calls this before it starts its work, so that none runs on tables it does not understand. Throws
 * TocsinError: SCHEMA_MISSING or SCHEMA_BEHIND (run `npx tocsin migrate`), SCHEMA_AHEAD (upgrade Tocsin).
 */
export async function assertSchemaUnderstood(queryable: Queryable): Promise<void> {
  const status = await migrationStatus({ queryable });
  switch (status.state) {
    case 'current':
      return;
    case 'missing':
      throw new TocsinError('SCHEMA_MISSING', 'The database has no schema "tocsin" yet. Run: npx tocsin migrate');
    case 'behind':
      throw new TocsinError(
        'SCHEMA_BEHIND',
        `The database is older than this version of Tocsin: ${status.pending.join(', ')} must still run. Run: npx tocsin migrate`,
      );
    case 'ahead':
      throw schemaAhead(status);
    default:
      status.state satisfies never;
  }
}

/** The refusal to touch a database that a newer version has migrated. */
export function schemaAhead(status: MigrationStatus): TocsinError {
  return new TocsinError(
    'SCHEMA_AHEAD',
    `The database is newer than this version of Tocsin, which does not know ${status.unknown.join(', ')}. Upgrade Tocsin to the version that migrated it.`,
  );
}

async function hasMigrationsTable(queryable: Queryable): Promise<boolean> {
  const { rows } = await queryable.query<{ readonly found: boolean }>(
    `select to_regclass('tocsin.migrations') is not null as found`,
  );
  return rows[0]?.found === true;
}
