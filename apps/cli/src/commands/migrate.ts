import { assertQueueUnderstood, migrateQueue } from '@tocsin/queue';
import {
  TocsinError,
  createPool,
  databaseErrorKind,
  maskUrl,
  migrate,
  migrationStatus,
  toDatabaseError,
} from '@tocsin/runtime';
import type { MigrationStatus } from '@tocsin/runtime';
import { findDatabase } from '../database/find-database.ts';
import type { FoundDatabase } from '../database/find-database.ts';
import { readConfig } from '../database/read-config.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { printLines } from '../printing/lines.ts';
import { printJson } from '../printing/print-json.ts';
import type { Invocation } from '../terminal.ts';

/** `tocsin migrate`, and with `check` a look only. */
export const migrateDatabase = async (
  invocation: Invocation,
  options: { readonly check?: boolean; readonly json?: boolean },
): Promise<ExitCode> => {
  const found = await findDatabase(readConfig(invocation));
  try {
    return await (options.check === true ? check : run)(invocation, found, options.json === true);
  } catch (error) {
    throw databaseErrorKind(error) === undefined
      ? error
      : toDatabaseError(error, found.connectionString, found.variable);
  }
};

const run = async ({ terminal }: Invocation, { connectionString }: FoundDatabase, json: boolean): Promise<ExitCode> => {
  const { applied } = await migrate({ connectionString, log: () => {} });
  await migrateQueue({ connectionString });
  if (json) printJson(terminal, { database: maskUrl(connectionString), applied });
  else
    printLines(terminal, [
      ...applied.map((name) => `applied ${name}`),
      applied.length === 0
        ? 'Nothing was pending: tables and job queue are of this version.'
        : 'Tables and job queue are of this version now.',
    ]);
  return exitCodes.fine;
};

const check = async (
  { terminal }: Invocation,
  { connectionString }: FoundDatabase,
  json: boolean,
): Promise<ExitCode> => {
  const pool = createPool({ connectionString, max: 1, applicationName: 'tocsin-cli', onError: () => {} });
  try {
    const status = await migrationStatus({ queryable: pool });
    const queueProblem = await assertQueueUnderstood(pool).then(
      () => null,
      (error: unknown) => {
        if (error instanceof TocsinError) return error.message;
        throw error;
      },
    );
    const current = status.state === 'current' && queueProblem === null;
    if (json) printJson(terminal, { database: maskUrl(connectionString), ...status, queueProblem, ok: current });
    else
      printLines(terminal, [
        ...statusLines(status),
        ...(queueProblem === null ? ['The job queue is of this version.'] : [queueProblem]),
      ]);
    return current ? exitCodes.fine : exitCodes.problem;
  } finally {
    await pool.end();
  }
};

const statusLines = ({ state, pending, unknown }: MigrationStatus): readonly string[] => {
  switch (state) {
    case 'current':
      return ["Tocsin's tables are of this version."];
    case 'missing':
    case 'behind':
      return [...pending.map((name) => `pending ${name}`), 'Run: npx tocsin migrate'];
    case 'ahead':
      return [
        ...unknown.map((name) => `unknown ${name}`),
        'A newer Tocsin has migrated this database. Upgrade this one to that version.',
      ];
    default:
      return state satisfies never;
  }
};
