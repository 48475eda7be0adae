import type { AlertId, LifecycleState } from '@tocsin/alert-model';
import type { CommandResult } from '@tocsin/alert-service';
import type { AlertRecord } from '@tocsin/event-store';
import { TocsinError } from '@tocsin/runtime';
import { requireAlert } from '../database/require-alert.ts';
import { withDatabase } from '../database/with-database.ts';
import { withService } from '../database/with-service.ts';
import type { CommandContext } from '../database/with-service.ts';
import type { OpenDatabase } from '../database/with-database.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { cleanLine } from '../printing/clean-line.ts';
import { shortId } from '../printing/job-name.ts';
import { leaseText } from '../printing/lease-text.ts';
import { printJson } from '../printing/print-json.ts';
import type { Invocation, Terminal } from '../terminal.ts';
import { userName } from './user-name.ts';

/** Options of the commands by which somebody decides about alerts. */
export interface ByOptions {
  readonly by?: string;
  readonly note?: string;
  readonly json?: boolean;
}

/** What became of one alert that was named. */
interface Outcome {
  readonly asked: string;
  readonly id: AlertId | null;
  readonly title: string | null;
  readonly done: boolean;
  readonly reason: string;
  readonly state: LifecycleState | null;
}

/**
 * Runs a command for each alert that was named, one after the other, and says what became of each. One that is refused
 * or not found does not keep the others from being done; the exit code tells of it.
 *
 * @param past what is said not to have happened when it is refused, such as `acknowledged`
 */
export const decideOnAlerts = (
  invocation: Invocation,
  asked: readonly string[],
  options: ByOptions,
  past: string,
  decide: (context: CommandContext, alertId: AlertId, by: string, database: OpenDatabase) => Promise<CommandResult>,
): Promise<ExitCode> =>
  withDatabase(invocation, async (database) => {
    const { terminal } = invocation;
    const by = options.by ?? userName(terminal);
    const outcomes = await withService(database, terminal, async (context) => {
      const collected: Outcome[] = [];
      for (const name of asked) {
        const outcome = await decideOn(database, name, (alert) => decide(context, alert.id, by, database));
        collected.push(outcome);
        if (options.json !== true) say(terminal, outcome, past);
      }
      return collected;
    });
    if (options.json === true) printJson(terminal, outcomes);
    return outcomes.every(({ done }) => done) ? exitCodes.fine : exitCodes.problem;
  });

const decideOn = async (
  { pool }: OpenDatabase,
  asked: string,
  decide: (alert: AlertRecord) => Promise<CommandResult>,
): Promise<Outcome> => {
  try {
    const alert = await requireAlert(pool, asked);
    const { id, title } = alert;
    const result = await decide(alert);
    const lease =
      result.done && result.alert.state === 'acknowledged' ? result.alert.acknowledgement?.lease : undefined;
    const reason = result.done
      ? `${result.reason}${lease === undefined ? '' : `, ${leaseText(lease)}`}`
      : result.refused;
    return { asked, id, title, done: result.done, reason, state: result.alert?.state ?? null };
  } catch (error) {
    if (!(error instanceof TocsinError) || !error.code.includes('ALERT')) throw error;
    return { asked, id: null, title: null, done: false, reason: error.message, state: null };
  }
};

const say = (terminal: Terminal, { id, title, done, reason }: Outcome, past: string): void => {
  if (id === null) terminal.complain(`tocsin: ${cleanLine(reason)}\n`);
  else if (done) terminal.write(`${shortId(id)}  ${cleanLine(title ?? '')}: ${cleanLine(reason)}\n`);
  else terminal.complain(`tocsin: ${shortId(id)} ${cleanLine(title ?? '')} is not ${past}: ${cleanLine(reason)}\n`);
};
