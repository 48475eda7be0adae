import { runner } from 'node-pg-migrate';
import pg from 'pg';
import { toDatabaseError } from './describe-database-error.ts';
import { TocsinError } from './errors.ts';
import { migrationStatus, schemaAhead } from './migration-status.ts';
import { migrationFilePattern, migrationsFolder } from './migrations-folder.ts';
import type { Queryable } from './pool.ts';
import { databaseErrorKind } from './postgres-errors.ts';
import { postgresTypes } from './postgres-values.ts';

/** Milliseconds a runner waits for another runner, and a migration for a table lock. */
const lockTimeoutMs = 60_000;
const connectTimeoutMs = 10_000;

/**
 * Brings the schema `tocsin` up to this version: runs the pending files of `migrations/` in one transaction, all or
 * none, and records them in tocsin.migrations. Safe to call from several processes at once (an advisory lock lets one
 * run, the others then find nothing to do), and again at any time. `log` receives one line per migration that runs.
 *
 * Throws TocsinError: SCHEMA_AHEAD if a newer version was here, MIGRATION_FORBIDDEN if the user lacks the privilege,
 * MIGRATION_FAILED with the migration's name, or `DATABASE_…` if the database cannot be reached.
 */
export async function migrate(options: {
  readonly connectionString: string;
  readonly log: (message: string) => void;
}): Promise<{ readonly applied: readonly string[] }> {
  const client = await connect(options.connectionString);
  try {
    const queryable = asQueryable(client);
    const status = await migrationStatus({ queryable });
    if (status.state === 'ahead') throw schemaAhead(status);
    if (status.state === 'current') return { applied: [] };
    return { applied: await runPending(client, options) };
  } finally {
    await client.end();
  }
}

async function connect(connectionString: string): Promise<pg.Client> {
  try {
    const client = new pg.Client({
      connectionString,
      application_name: 'tocsin migrate',
      connectionTimeoutMillis: connectTimeoutMs,
      lock_timeout: lockTimeoutMs,
      keepAlive: true,
      types: postgresTypes,
    });
    // A connection that breaks fails the statement under way; without a listener it would also end the process.
    client.on('error', () => {});
    await client.connect();
    return client;
  } catch (error) {
    throw toDatabaseError(error, connectionString);
  }
}

async function runPending(
  client: pg.Client,
  { connectionString, log }: { readonly connectionString: string; readonly log: (message: string) => void },
): Promise<readonly string[]> {
  let running = '';
  try {
    // A role may own a schema that an administrator made for it without being allowed to make one, and Postgres checks
    // that privilege even under "if not exists".
    const { rows } = await client.query<{ found: boolean }>(`select to_regnamespace('tocsin') is not null as found`);
    const applied = await runner({
      dbClient: client,
      dir: migrationsFolder,
      ignorePattern: `(?!${migrationFilePattern}$).*`,
      direction: 'up',
      migrationsSchema: 'tocsin',
      migrationsTable: 'migrations',
      createMigrationsSchema: rows[0]?.found !== true,
      advisoryLockMode: 'wait',
      singleTransaction: true,
      checkOrder: true,
      logger: {
        info: (line) => {
          const started = /^### MIGRATION (\S+) /.exec(line)?.[1];
          if (started === undefined) return;
          running = started;
          log(`running migration ${started}`);
        },
        warn: log,
        // The runner prints the whole file before it throws; what is thrown says enough.
        error: () => {},
      },
    });
    return applied.map((migration) => migration.name);
  } catch (error) {
    throw explain(error, running, connectionString);
  }
}

function explain(error: unknown, running: string, connectionString: string): TocsinError {
  const reason = error instanceof Error ? error.message : String(error);
  const kind = databaseErrorKind(error);
  if (kind === 'insufficient_privilege') {
    return new TocsinError(
      'MIGRATION_FORBIDDEN',
      `The database user may not set up Tocsin's schema (${reason}). Run the migration as the owner of the database, or as an administrator: create schema tocsin authorization USER; create schema pgboss authorization USER;`,
      { cause: error },
    );
  }
  if (kind === 'lock_timeout') {
    return new TocsinError(
      'MIGRATION_BLOCKED',
      `The migration waited ${lockTimeoutMs / 1000} s for another migration or for a lock on a table (${reason}). Look in pg_stat_activity for what holds it, then run again: npx tocsin migrate`,
      { cause: error },
    );
  }
  if (kind === 'connection_lost' || kind === 'cannot_connect_now') return toDatabaseError(error, connectionString);
  return new TocsinError(
    'MIGRATION_FAILED',
    `The migration ${running || 'set-up'} failed and nothing was changed: ${reason}. Put the cause right, then run again: npx tocsin migrate`,
    { cause: error },
  );
}

function asQueryable(client: pg.Client): Queryable {
  return {
    query: async <Row extends object>(text: string, values?: readonly unknown[]) => {
      const result = await client.query<Row>(text, values as unknown[] | undefined);
      return { rows: result.rows, rowCount: result.rowCount ?? 0 };
    },
  };
}
