import { configJsonSchema } from '@tocsin/runtime';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { printJson } from '../printing/print-json.ts';
import type { Invocation } from '../terminal.ts';

/** `tocsin config schema` */
export const configSchema = async ({ terminal }: Invocation): Promise<ExitCode> => {
  printJson(terminal, configJsonSchema());
  return exitCodes.fine;
};
