import { CommanderError } from 'commander';
import { exitCodes } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import { cleanLines } from './printing/clean-line.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

/**
 * Says on standard error what went wrong, in one message, and answers the exit code. Only what nobody expected is shown
 * with its stack, because then it is a bug and the stack is what its report needs.
 */
export const reportError = async (error: unknown, terminal: Terminal): Promise<ExitCode> => {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.fine : exitCodes.usage;
  // Loaded only now: a mistyped command should not wait for the database driver.
  const { message, code } =
    error instanceof UsageError
      ? { message: error.message, code: exitCodes.usage }
      : (await import('./describe-error.ts')).describeError(error);
  terminal.complain(`tocsin: ${cleanLines(message)}\n`);
  return code;
};
