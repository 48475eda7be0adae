import { CommanderError } from 'commander';
import { exitCodes } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import { cleanLines } from './printing/clean-line.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

/** Errors of the product that mean: called or configured wrongly. */
const usageCodes: ReadonlySet<string> = new Set([
  'CONFIG_INVALID',
  'DATABASE_URL_INVALID',
  'DATABASE_URL_MISSING',
  'DURATION_INVALID',
  'NO_DATABASE',
  'TABLE_NAME_INVALID',
]);

/**
 * Says on standard error what went wrong, in one message, and answers the exit code. Only what nobody expected is shown
 * with its stack, because then it is a bug and the stack is what its report needs.
 */
export const reportError = async (error: unknown, terminal: Terminal): Promise<ExitCode> => {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.fine : exitCodes.usage;
  const { message, code } = await describeError(error);
  terminal.complain(`tocsin: ${cleanLines(message)}\n`);
  return code;
};

/** Whether an error is one that the product expects, so that its message says all there is to say. */
export const isExpected = async (error: unknown): Promise<boolean> => (await describeError(error)).expected;

const describeError = async (error: unknown): Promise<{ readonly message: string; readonly code: ExitCode; readonly expected: boolean }> => {
  if (error instanceof UsageError) return { message: error.message, code: exitCodes.usage, expected: true };
  const { TocsinError, databaseErrorKind } = await import('@tocsin/runtime');
  if (error instanceof TocsinError) {
    const code = usageCodes.has(error.code) ? exitCodes.usage : exitCodes.problem;
    return { message: error.message, code, expected: true };
  }
  // The domain has an InvariantError of its own, because it knows nothing of the runtime.
  if (error instanceof Error && error.name === 'InvariantError')
    return { message: error.message, code: exitCodes.problem, expected: true };
  // Before the database's errors: a file that is missing has the same code as a missing socket.
  if (error instanceof Error && 'syscall' in error && 'path' in error) return { message: error.message, code: exitCodes.problem, expected: true };
  if (error instanceof Error && databaseErrorKind(error) !== undefined)
    return { message: `the database answered: ${error.message}`, code: exitCodes.problem, expected: true };
  if (error instanceof Error && 'syscall' in error) return { message: error.message, code: exitCodes.problem, expected: true };
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { message: `an unexpected error, which is a bug in Tocsin:\n${stack}`, code: exitCodes.problem, expected: false };
};
