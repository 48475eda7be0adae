import { assertQueueUnderstood } from '@tocsin/queue';
import {
  TocsinError,
  assertSchemaUnderstood,
  databaseErrorKind,
  databaseNow,
  formatDuration,
  maskUrl,
} from '@tocsin/runtime';
import { listed } from '../printing/lines.ts';
import { fail, ok, warn } from './finding.ts';
import type { Finding, Patient } from './finding.ts';
import { grantsOf, missingPrivileges } from './missing-privileges.ts';
import type { MissingPrivilege } from './missing-privileges.ts';
import { readServer } from './read-server.ts';

/** The oldest server whose transaction ids the log relies on (`xid8`, `pg_current_xact_id`). */
const serverVersionMin = 130_000;
/** Clocks that differ by less are taken for equal. */
const skewMaxMs = 5_000;

/** Is Tocsin's own database there, and fit for this version? @throws what the database answers when it cannot be reached */
export const checkDatabase = async ({ pool, connectionString }: Patient): Promise<readonly Finding[]> => {
  const server = await readServer(pool);
  if (server === undefined) return [fail('database', 'the server did not say what it is', 'look at its log')];
  const findings: Finding[] = [ok('database', `PostgreSQL ${server.version} at ${maskUrl(connectionString)}`)];
  if (server.versionNumber < serverVersionMin)
    findings.push(fail('database', `PostgreSQL ${server.version} is too old`, 'use PostgreSQL 13 or newer'));
  if (server.inRecovery)
    findings.push(
      fail('database', 'this server is a read replica', 'use the address of the primary server in DATABASE_URL'),
    );
  return [...findings, await checkClock(pool)];
};

const checkClock = async (pool: Patient['pool']): Promise<Finding> => {
  const before = Date.now();
  const there = Date.parse(await databaseNow(pool));
  const here = (before + Date.now()) / 2;
  const skewMs = here - there;
  if (Math.abs(skewMs) <= skewMaxMs) return ok('clock', "this machine's clock agrees with the database's");
  return warn(
    'clock',
    `this machine's clock is ${formatDuration(Math.abs(skewMs))} ${skewMs > 0 ? 'ahead of' : 'behind'} the database's`,
    "decisions use the database's clock, but times in logs will not match; synchronise the clocks",
  );
};

/** Are Tocsin's tables and the queue's of this version, and may this user work with them? */
export const checkSchema = async ({ pool }: Patient): Promise<readonly Finding[]> => {
  const missing = await missingPrivileges(pool);
  const findings = [
    ...(await understood('schema', "Tocsin's tables are of this version", () => assertSchemaUnderstood(pool))),
    ...(await understood('queue schema', 'the job queue is of this version', () => assertQueueUnderstood(pool))),
  ];
  if (missing.length > 0) return [...findings, await lacking(pool, missing)];
  return findings.some(({ status }) => status === 'fail')
    ? findings
    : [...findings, ok('privileges', 'this user may do all that is needed')];

  /** What this user may not look at is no finding of its own where the lack of the privilege is one. */
  async function understood(check: string, message: string, assert: () => Promise<void>): Promise<readonly Finding[]> {
    try {
      await assert();
      return [ok(check, message)];
    } catch (error) {
      if (error instanceof TocsinError) return [fail(check, error.message, 'run: npx tocsin migrate')];
      if (missing.length > 0 && databaseErrorKind(error) === 'insufficient_privilege') return [];
      throw error;
    }
  }
};

const lacking = async (pool: Patient['pool'], missing: readonly MissingPrivilege[]): Promise<Finding> => {
  const { rows } = await pool.query<{ readonly role: string }>('select quote_ident(current_user) as role');
  const role = rows[0]?.role ?? 'current_user';
  return fail(
    'privileges',
    `${role} lacks ${listed(missing.map(({ privilege, object }) => `${privilege} on ${object}`))}`,
    `run, as the user that ran the migration: ${grantsOf(missing, role)} (docs/roles/notifier.sql has all that is needed; see docs/security.md)`,
  );
};
