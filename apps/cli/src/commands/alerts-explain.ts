import type { ExitCode } from '../exit-code.ts';
import { exitCodes } from '../exit-code.ts';
import { withDatabase } from '../database/with-database.ts';
import { requireAlert } from '../database/require-alert.ts';
import { explainAlert } from '../explain/explain-alert.ts';
import { explainJob } from '../explain/explain-job.ts';
import { explanationLines } from '../explain/explanation-lines.ts';
import { loadAlertFacts } from '../explain/load-alert-facts.ts';
import { cleanLine } from '../printing/clean-line.ts';
import { printLines } from '../printing/lines.ts';
import { paint } from '../printing/paint.ts';
import { printJson } from '../printing/print-json.ts';
import { wrapLine } from '../printing/wrap-line.ts';
import type { Invocation } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

export interface ExplainOptions {
  readonly job?: string;
  readonly json?: boolean;
}

/** `tocsin alerts explain`: an alert, or a job and the alerts it is in. */
export const explainCommand = async (
  invocation: Invocation,
  idOrKey: string | undefined,
  options: ExplainOptions,
): Promise<ExitCode> => {
  if ((idOrKey === undefined) === (options.job === undefined))
    throw new UsageError('Name an alert by its id or key, or a job with --job ID; one of them.');
  return withDatabase(invocation, async (database) => {
    const { terminal } = invocation;
    if (options.job === undefined) {
      const alert = await requireAlert(database.pool, idOrKey ?? '');
      const explanation = explainAlert(await loadAlertFacts(database, alert.id));
      if (options.json === true) printJson(terminal, explanation);
      else printLines(terminal, explanationLines(explanation, terminal, database.now));
      return exitCodes.fine;
    }
    const explained = await explainJob(database, options.job);
    if (options.json === true) {
      printJson(terminal, explained);
      return exitCodes.fine;
    }
    const wrapped = (text: string): readonly string[] => wrapLine(cleanLine(text), terminal.textColumns, '  ');
    printLines(terminal, [
      paint(terminal, 'bold', cleanLine(`job ${explained.job}`)),
      ...[...explained.outcomes, ...explained.repairs].flatMap(({ what }) => wrapped(what)),
      ...explained.reasons.flatMap(wrapped),
      ...explained.alerts.flatMap((alert) => ['', ...explanationLines(alert, terminal, database.now)]),
    ]);
    return exitCodes.fine;
  });
};
