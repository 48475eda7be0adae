import { ConfigError, describeConfig } from '@tocsin/runtime';
import { readConfig } from '../database/read-config.ts';
import { tryDatabase } from '../database/try-database.ts';
import { readUnverifiedChannels } from '../doctor/unverified-channels.ts';
import type { UnverifiedChannel } from '../doctor/unverified-channels.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { configOutline } from '../printing/config-outline.ts';
import { printLines } from '../printing/lines.ts';
import { utcTime } from '../printing/moment.ts';
import { outlineLines } from '../printing/outline.ts';
import { printJson } from '../printing/print-json.ts';
import { dueTimes, dueTimesLines } from '../schedules/due-times.ts';
import type { Invocation } from '../terminal.ts';

/**
 * `tocsin config check`. Needs no database; where there is one that answers, channels that were never tested are warned of,
 * too.
 *
 * @throws ConfigError with every problem
 */
export const checkConfig = async (invocation: Invocation, options: { readonly json?: boolean }): Promise<ExitCode> => {
  const { terminal } = invocation;
  const config = readOrPrint(invocation, options.json === true);
  const now = new Date();
  const schedules = config.schedules.map((schedule) => dueTimes(schedule, now));
  const unverified = await tryDatabase(config, (queryable) => readUnverifiedChannels(queryable, config));
  const warnings = [...config.warnings, ...(unverified ?? []).map(unverifiedText)];
  if (options.json === true) {
    const shown = describeConfig(config);
    printJson(terminal, { ok: true, warnings, schedules, unverifiedChannels: unverified ?? null, config: shown });
    return exitCodes.fine;
  }
  printLines(terminal, [
    ...outlineLines(configOutline(config, now.toISOString())),
    '',
    ...(schedules.length === 0 ? [] : ['when schedules are due', ...schedules.flatMap(dueTimesLines), '']),
    ...warnings.map((warning) => `warning: ${warning}`),
    warnings.length === 0 ? 'The configuration is right.' : 'The configuration can be used.',
  ]);
  return exitCodes.fine;
};

const unverifiedText = ({ channel, testedAt }: UnverifiedChannel): string =>
  testedAt === null
    ? `The channel "${channel}" was never tested; do it now: npx tocsin channels test ${channel}`
    : `The settings of the channel "${channel}" have changed since it was tested (${utcTime(testedAt)} UTC); test it again: npx tocsin channels test ${channel}`;

const readOrPrint = (invocation: Invocation, json: boolean): ReturnType<typeof readConfig> => {
  try {
    return readConfig(invocation);
  } catch (error) {
    if (json && error instanceof ConfigError) printJson(invocation.terminal, { ok: false, problems: error.problems });
    throw error;
  }
};
