import { FailureKind } from '@tocsin/alert-model';
import type { Match, Severity } from '@tocsin/alert-model';
import { addSilence } from '@tocsin/alert-service';
import type { SilenceEndRequest } from '@tocsin/alert-service';
import { parseDuration } from '@tocsin/runtime';
import { withDatabase } from '../database/with-database.ts';
import { withService } from '../database/with-service.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { shortId } from '../printing/job-name.ts';
import { counted, printLines } from '../printing/lines.ts';
import { moment } from '../printing/moment.ts';
import { printJson } from '../printing/print-json.ts';
import type { Invocation } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';
import { endText, matchText } from './silence-row.ts';
import { userName } from './user-name.ts';

export interface AddSilenceOptions {
  readonly source?: readonly string[];
  readonly jobType?: readonly string[];
  readonly target?: readonly string[];
  readonly kind?: readonly string[];
  readonly severity?: readonly Severity[];
  readonly for?: string;
  /** ISO-8601 in UTC. */
  readonly until?: string;
  readonly untilResolved?: boolean;
  /** ISO-8601 in UTC. */
  readonly from?: string;
  readonly reason?: string;
  readonly by?: string;
  readonly json?: boolean;
}

/** `tocsin silences add` */
export const addSilenceCommand = async (invocation: Invocation, options: AddSilenceOptions): Promise<ExitCode> => {
  const match = matchOf(options);
  const end = endOf(options);
  return withDatabase(invocation, async (database) => {
    const { terminal } = invocation;
    const result = await withService(database, terminal, (context) =>
      addSilence(context, {
        match,
        by: options.by ?? userName(terminal),
        reason: options.reason ?? null,
        end,
        startsAt: options.from ?? null,
      }),
    );
    if (options.json === true) printJson(terminal, result);
    else if (!result.done) terminal.complain(`tocsin: nothing was muted: ${result.refused}\n`);
    else
      printLines(terminal, [
        `${shortId(result.silence.id)}  mutes ${matchText(result.silence.match)}, ${endText(result.silence)}`,
        result.silence.startsAt > database.now && options.from !== undefined
          ? `It begins ${moment(result.silence.startsAt, database.now)}.`
          : `${counted(result.alerts, 'open alert')} muted now.`,
        `End it: npx tocsin silences end ${shortId(result.silence.id)}`,
      ]);
    return result.done ? exitCodes.fine : exitCodes.problem;
  });
};

const matchOf = ({ source, jobType, target, kind, severity }: AddSilenceOptions): Match => {
  const wrong = kind?.find((one) => !FailureKind.safeParse(one).success);
  if (wrong !== undefined)
    throw new UsageError(`There is no kind "${wrong}"; choose from ${FailureKind.options.join(', ')}.`);
  const match: Match = {
    ...(source !== undefined && { source }),
    ...(jobType !== undefined && { jobType }),
    ...(target !== undefined && { targetId: target }),
    ...(kind !== undefined && { kind: kind as readonly FailureKind[] }),
    ...(severity !== undefined && { severity }),
  };
  if (Object.keys(match).length === 0)
    throw new UsageError("Say what to mute, such as --source apple; everything is --source '*'.");
  return match;
};

const endOf = (options: AddSilenceOptions): SilenceEndRequest => {
  if (options.for !== undefined) {
    const ms = parseDuration(options.for);
    if (ms === 0) throw new UsageError('--for must be longer than 0; write a duration such as 30m or 2h.');
    return { until: 'span', ms };
  }
  if (options.until !== undefined) return { until: 'time', at: options.until };
  if (options.untilResolved === true) {
    if (options.from !== undefined)
      throw new UsageError('--until-resolved is about alerts that are open now; leave --from out.');
    return { until: 'resolved' };
  }
  throw new UsageError(
    'Say when it ends: --for 2h, --until TIME or --until-resolved. A mute without an end is how alerts are lost.',
  );
};
