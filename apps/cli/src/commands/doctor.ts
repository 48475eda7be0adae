import { TocsinError, createPool, describeDatabaseError } from '@tocsin/runtime';
import type { Config } from '@tocsin/runtime';
import { findDatabase, withConnection } from '../database/find-database.ts';
import { readConfig } from '../database/read-config.ts';
import { checkChannels } from '../doctor/check-channels.ts';
import { checkConfiguration } from '../doctor/check-configuration.ts';
import { checkConditions } from '../doctor/check-conditions.ts';
import { checkDatabase, checkSchema } from '../doctor/check-database.ts';
import { checkJanitor } from '../doctor/check-janitor.ts';
import { checkOutcomes } from '../doctor/check-outcomes.ts';
import { checkSelfWatch } from '../doctor/check-self-watch.ts';
import { checkTables } from '../doctor/check-tables.ts';
import { checkHeartbeats, checkWork } from '../doctor/check-work.ts';
import { fail } from '../doctor/finding.ts';
import type { Finding, Patient } from '../doctor/finding.ts';
import { withWatchedTables } from '../doctor/watched-tables.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { cleanLine } from '../printing/clean-line.ts';
import { counted, printLines } from '../printing/lines.ts';
import { paint } from '../printing/paint.ts';
import { printJson } from '../printing/print-json.ts';
import { wrapLine } from '../printing/wrap-line.ts';
import type { Invocation, Terminal } from '../terminal.ts';

/** Connections of the doctor; a comparison of millions of rows has its statements one after the other. */
const connectionsMax = 2;
/** The doctor's statements may read whole tables. */
const statementTimeoutMs = 300_000;

/** `tocsin doctor`. @throws ConfigError when the configuration cannot be used at all */
export const doctor = async (invocation: Invocation, options: { readonly json?: boolean }): Promise<ExitCode> => {
  const { terminal } = invocation;
  const config = readConfig(invocation);
  const findings: Finding[] = [];
  const report = (found: readonly Finding[]): void => {
    findings.push(...found);
    if (options.json !== true)
      printLines(
        terminal,
        found.flatMap((finding) => findingLines(finding, terminal)),
      );
  };
  report(checkConfiguration(config));
  await examine(config, report);
  const failures = findings.filter(({ status }) => status === 'fail').length;
  const warnings = findings.filter(({ status }) => status === 'warn').length;
  if (options.json === true) printJson(terminal, { ok: failures === 0, failures, warnings, findings });
  else printLines(terminal, ['', summary(failures, warnings)]);
  return failures === 0 ? exitCodes.fine : exitCodes.problem;
};

const examine = async (config: Config, report: (found: readonly Finding[]) => void): Promise<void> => {
  const found = await findDatabase(config).catch((error: unknown) => {
    if (!(error instanceof TocsinError)) throw error;
    report([fail('database', error.message, 'npx tocsin up')]);
  });
  if (found === undefined) return;
  const { connectionString, variable } = found;
  const pool = createPool({
    connectionString,
    max: connectionsMax,
    applicationName: 'tocsin-doctor',
    onError: () => {},
    statementTimeoutMs,
  });
  const patient: Patient = { config: withConnection(config, connectionString), connectionString, pool };
  /** A check that breaks off is itself a finding; those that build on it are left out. */
  const attempt = async (check: string, work: () => Promise<readonly Finding[]>): Promise<boolean> => {
    const results = await work().catch((error: unknown): readonly Finding[] => [
      fail(
        check,
        error instanceof TocsinError ? error.message : describeDatabaseError(error, connectionString, variable),
        'put that right and run the doctor again',
      ),
    ]);
    report(results);
    return results.every(({ status }) => status !== 'fail');
  };
  try {
    if (!(await attempt('database', () => checkDatabase(patient)))) return;
    const usable = await attempt('schema', () => checkSchema(patient));
    await withWatchedTables(patient, async (tables) => {
      await attempt('table', () => checkTables(tables));
      await attempt('janitor', () => checkJanitor(patient.config, tables));
      if (!usable) return;
      let detectorAlive = false;
      await attempt('heartbeats', async () => {
        const checked = await checkHeartbeats(patient);
        detectorAlive = checked.detectorAlive;
        return checked.findings;
      });
      await attempt('failures', () => checkOutcomes(patient, tables, detectorAlive));
      await attempt('conditions', () => checkConditions(patient));
      await attempt('queue', () => checkWork(patient));
      await attempt('channels', () => checkChannels(patient));
      await attempt('audit', () => checkSelfWatch(patient));
    });
  } finally {
    await pool.end();
  }
};

const colours = { ok: 'green', warn: 'yellow', fail: 'red' } as const;
const checkCells = 14;

const findingLines = ({ check, status, message, cure }: Finding, terminal: Terminal): readonly string[] => {
  const indent = ' '.repeat(checkCells + 7);
  const [first = '', ...rest] = wrapLine(
    `${status.padEnd(5)} ${check.padEnd(checkCells)} ${cleanLine(message)}`,
    terminal.textColumns,
    indent,
  );
  return [
    `${paint(terminal, colours[status], first.slice(0, 5))}${first.slice(5)}`,
    ...rest,
    ...(cure === undefined ? [] : wrapLine(`${indent}→ ${cleanLine(cure)}`, terminal.textColumns, `${indent}  `)),
  ];
};

const summary = (failures: number, warnings: number): string => {
  if (failures > 0) return `${counted(failures, 'problem')}, ${counted(warnings, 'warning')}.`;
  return warnings === 0 ? 'All is well.' : `Nothing is wrong; ${counted(warnings, 'warning')}.`;
};
