import { userInfo } from 'node:os';
import { alertModelVersion, evolveAlert } from '@tocsin/alert-model';
import type { AlertId, LifecycleState } from '@tocsin/alert-model';
import { parseTask } from '@tocsin/alert-service';
import type { CommandResult, ServiceContext, TocsinPayloads } from '@tocsin/alert-service';
import { createPostgresStore } from '@tocsin/event-store';
import type { AlertRecord } from '@tocsin/event-store';
import { createQueue } from '@tocsin/queue';
import { TocsinError, createLogger } from '@tocsin/runtime';
import { requireAlert } from '../database/require-alert.ts';
import { withDatabase } from '../database/with-database.ts';
import type { OpenDatabase } from '../database/with-database.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { cleanLine } from '../printing/clean-line.ts';
import { shortId } from '../printing/job-name.ts';
import { leaseText } from '../printing/lease-text.ts';
import { printJson } from '../printing/print-json.ts';
import type { Invocation, Terminal } from '../terminal.ts';

/** Options of the commands by which somebody decides about alerts. */
export interface ByOptions {
  readonly by?: string;
  readonly note?: string;
  readonly json?: boolean;
}

/** What a command needs of the service. */
export type CommandContext = Pick<ServiceContext, 'store' | 'queue' | 'log'>;

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

const withService = async <Result>(
  { pool, connectionString }: OpenDatabase,
  terminal: Terminal,
  work: (context: CommandContext) => Promise<Result>,
): Promise<Result> => {
  const log = createLogger({ level: 'warn', name: 'tocsin', destination: { write: terminal.complain } });
  const queue = createQueue<TocsinPayloads>({
    connectionString,
    applicationName: 'tocsin-cli-queue',
    // Jobs are only added here, so nothing has to be listened for.
    listen: false,
    parse: parseTask,
    onUnreadable: () => {},
    onError: () => {},
  });
  await queue.start();
  try {
    return await work({
      store: createPostgresStore({ pool, foldAlert: evolveAlert, modelVersion: alertModelVersion }),
      queue,
      log,
    });
  } finally {
    await queue.stop();
  }
};

/** Who sits at the keyboard; a container may have no name for its user. */
const userName = ({ env }: Terminal): string => {
  try {
    return userInfo().username;
  } catch {
    return env['USER'] ?? env['LOGNAME'] ?? 'unknown';
  }
};
