import { ConfigError, describeConfig } from '@tocsin/runtime';
import { readConfig } from '../database/read-config.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { printLines } from '../printing/lines.ts';
import { outlineLines } from '../printing/outline.ts';
import { printJson } from '../printing/print-json.ts';
import { dueTimes, dueTimesLines } from '../schedules/due-times.ts';
import type { Invocation } from '../terminal.ts';

/** `tocsin config check`. @throws ConfigError with every problem */
export const checkConfig = async (invocation: Invocation, options: { readonly json?: boolean }): Promise<ExitCode> => {
  const { terminal } = invocation;
  const config = readOrPrint(invocation, options.json === true);
  const { warnings, ...effective } = config;
  const now = new Date();
  const schedules = config.schedules.map((schedule) => dueTimes(schedule, now));
  if (options.json === true) {
    printJson(terminal, { ok: true, warnings, schedules, config: describeConfig(config) });
    return exitCodes.fine;
  }
  const shown = describeConfig({ ...effective, warnings: [] });
  printLines(terminal, [
    ...outlineLines(Object.fromEntries(Object.entries(shown).filter(([key]) => key !== 'warnings'))),
    '',
    ...(schedules.length === 0 ? [] : ['when schedules are due', ...schedules.flatMap(dueTimesLines), '']),
    ...warnings.map((warning) => `warning: ${warning}`),
    warnings.length === 0 ? 'The configuration is right.' : 'The configuration can be used.',
  ]);
  return exitCodes.fine;
};

const readOrPrint = (invocation: Invocation, json: boolean): ReturnType<typeof readConfig> => {
  try {
    return readConfig(invocation);
  } catch (error) {
    if (json && error instanceof ConfigError) printJson(invocation.terminal, { ok: false, problems: error.problems });
    throw error;
  }
};
