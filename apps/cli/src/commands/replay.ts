import { alertStream } from '@tocsin/alert-model';
import type { AlertState } from '@tocsin/alert-model';
import { readLogByStream, streamEvents } from '@tocsin/event-store';
import type { LogBounds, StoredEvent } from '@tocsin/event-store';
import { requireAlert } from '../database/require-alert.ts';
import { withDatabase } from '../database/with-database.ts';
import type { OpenDatabase } from '../database/with-database.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { cleanLine } from '../printing/clean-line.ts';
import { counted, printLines } from '../printing/lines.ts';
import { utcTime } from '../printing/moment.ts';
import { paint } from '../printing/paint.ts';
import { printJson } from '../printing/print-json.ts';
import { createLogFolder } from '../replay/fold-log.ts';
import { foldSteps } from '../replay/fold-steps.ts';
import { createSummary, summaryLines } from '../replay/log-summary.ts';
import type { LogSummary } from '../replay/log-summary.ts';
import { replayBundle } from '../replay/replay-bundle.ts';
import { stepLines, stepsAsData } from '../replay/step-lines.ts';
import { verifyLog } from '../replay/verify-log.ts';
import type { Verification } from '../replay/verify-log.ts';
import type { Invocation, Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

export interface ReplayOptions extends LogBounds {
  readonly all?: boolean;
  readonly file?: string;
  readonly verify?: boolean;
  readonly json?: boolean;
}

/** `tocsin replay` */
export const replay = async (
  invocation: Invocation,
  alert: string | undefined,
  options: ReplayOptions,
): Promise<ExitCode> => {
  checkUsage(alert, options);
  if (options.file !== undefined) return replayFile(invocation.terminal, options.file, alert, options);
  return withDatabase(invocation, async (database) => {
    const { terminal } = invocation;
    if (alert === undefined)
      return options.verify === true
        ? verify(terminal, database, undefined, options)
        : replayAll(terminal, database, options);
    const record = await requireAlert(database.pool, alert);
    if (options.verify === true) return verify(terminal, database, alertStream(record.id), options);
    const events = await streamEvents(
      database.pool,
      alertStream(record.id),
      options.until === undefined ? {} : { until: options.until },
    );
    printAlert(terminal, events, options);
    return exitCodes.fine;
  });
};

const checkUsage = (alert: string | undefined, { all, file, verify: comparing }: ReplayOptions): void => {
  if (file !== undefined && comparing === true)
    throw new UsageError(
      '--verify compares with the read models, and a bundle has none; leave one of --file and --verify out.',
    );
  if (alert !== undefined && all === true) throw new UsageError('Name an alert or give --all, not both.');
  if (alert === undefined && all !== true && file === undefined)
    throw new UsageError('Name an alert by its id or key, or give --all or --file BUNDLE.');
};

const replayFile = async (
  terminal: Terminal,
  file: string,
  alert: string | undefined,
  options: ReplayOptions,
): Promise<ExitCode> => {
  const found = await replayBundle(file, options.all === true ? undefined : alert, options, options.all === true);
  if (found.kind === 'alert') {
    printAlert(terminal, found.events, options);
    return exitCodes.fine;
  }
  if (options.json === true) printJson(terminal, { ...found.summary, alertsInBundle: found.alerts });
  else {
    printSummary(terminal, found.summary);
    if (options.all !== true)
      printLines(terminal, [
        '',
        'Alerts in it; one of them: npx tocsin replay ID --file FILE',
        ...found.alerts.map(({ id, state, title }) => cleanLine(`${id} ${state} ${title}`)),
      ]);
  }
  return found.summary.problems.length === 0 ? exitCodes.fine : exitCodes.problem;
};

/** The bound by position is applied here, because streams are read by time or version. */
const printAlert = (terminal: Terminal, all: readonly StoredEvent[], options: ReplayOptions): void => {
  const { until, position } = options;
  const steps = foldSteps(all.filter((event) => position === undefined || event.position <= position));
  const state: AlertState | null = steps.at(-1)?.after ?? null;
  if (options.json === true) {
    printJson(terminal, {
      alertId: state?.id ?? null,
      until: until ?? null,
      position: position ?? null,
      steps: stepsAsData(steps),
      state,
    });
    return;
  }
  if (state === null) {
    printLines(terminal, ['Up to then nothing had happened to this alert.']);
    return;
  }
  const [heading = '', ...lines] = stepLines(steps);
  printLines(terminal, [
    paint(terminal, 'bold', cleanLine(`alert ${state.id}  ${state.title}  ${state.key}`)),
    '',
    paint(terminal, 'bold', heading),
    ...lines,
    '',
    `${state.state} after ${counted(steps.length, 'event')}, ${utcTime(steps.at(-1)?.stored.event.occurredAt ?? '')} UTC; ${counted(state.occurrences, 'failure')}`,
  ]);
};

const replayAll = async (terminal: Terminal, { pool }: OpenDatabase, options: ReplayOptions): Promise<ExitCode> => {
  const summary = createSummary();
  const folder = createLogFolder(summary.addEvent);
  for await (const rows of readLogByStream(pool, options)) summary.addStreams(folder.take(rows));
  summary.addStreams(folder.end());
  const built = summary.build();
  if (options.json === true) printJson(terminal, built);
  else printSummary(terminal, built);
  return built.problems.length === 0 ? exitCodes.fine : exitCodes.problem;
};

const printSummary = (terminal: Terminal, summary: LogSummary): void => {
  printLines(terminal, summaryLines(summary));
  for (const problem of summary.problems) terminal.complain(`tocsin: ${cleanLine(problem)}\n`);
};

const verify = async (
  terminal: Terminal,
  { pool }: OpenDatabase,
  only: string | undefined,
  options: ReplayOptions,
): Promise<ExitCode> => {
  const result = await verifyLog(pool, only);
  const ok = result.differences === 0;
  if (options.json === true) printJson(terminal, { ok, ...result });
  else printVerification(terminal, result);
  return ok ? exitCodes.fine : exitCodes.problem;
};

const printVerification = (terminal: Terminal, result: Verification): void => {
  const { events, alerts, digests, outdated, differences, named, elapsedMs, eventsPerSecond } = result;
  const seconds = (elapsedMs / 1_000).toLocaleString('en-US', { maximumFractionDigits: 2 });
  printLines(terminal, [
    `Folded ${counted(events, 'event')} of ${counted(alerts, 'alert')} and ${counted(digests, 'digest')} in ${seconds} s (${counted(eventsPerSecond, 'event')}/s).`,
    ...(outdated === 0
      ? []
      : [
          `${counted(outdated, 'row')} of another version of the model not compared; they are folded anew when they are used.`,
        ]),
    differences === 0
      ? 'The read models are what the log says.'
      : `${counted(differences, 'difference')} between the read models and the log:`,
    ...named.map(({ kind, id, what }) => `  ${cleanLine(`${kind} ${id}: ${what}`)}`),
    ...(differences > named.length ? [`  … ${counted(differences - named.length, 'more', 'more')}`] : []),
  ]);
};
