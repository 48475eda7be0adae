import { exitCodes } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import { createProgram, firstSteps } from './program.ts';
import { reportError } from './report-error.ts';
import type { Terminal } from './terminal.ts';

/**
 * Runs one command.
 *
 * @param args what follows `tocsin` on the command line
 * @returns the exit code. Commands that run until they are stopped (`up`, `detector`, `notifier`) end the process themselves.
 */
export const runCli = async (args: readonly string[], terminal: Terminal): Promise<ExitCode> => {
  if (args.length === 0) {
    terminal.write(firstSteps);
    return exitCodes.fine;
  }
  let code: ExitCode = exitCodes.fine;
  try {
    const program = createProgram(terminal, (ended) => {
      code = ended;
    });
    await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    return reportError(error, terminal);
  }
};
