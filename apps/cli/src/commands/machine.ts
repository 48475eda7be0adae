import { renderMachine } from '@tocsin/alert-model';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import type { Invocation } from '../terminal.ts';

/** `tocsin machine` */
export const machine = async ({ terminal }: Invocation, options: { readonly json?: boolean }): Promise<ExitCode> => {
  terminal.write(renderMachine(options.json === true ? 'json' : 'mermaid'));
  return exitCodes.fine;
};
