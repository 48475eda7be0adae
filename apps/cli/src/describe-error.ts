import { TocsinError, databaseErrorKind } from '@tocsin/runtime';
import { exitCodes } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';

/** Errors of the product that mean: called or configured wrongly. */
const usageCodes: ReadonlySet<string> = new Set([
  'CONFIG_INVALID',
  'DATABASE_URL_INVALID',
  'DATABASE_URL_MISSING',
  'DURATION_INVALID',
  'NO_DATABASE',
  'TABLE_NAME_INVALID',
]);

/** An error in words. */
export interface DescribedError {
  readonly message: string;
  readonly code: ExitCode;
  /** Its message says all there is to say. */
  readonly expected: boolean;
}

/** What is said of an error, which exit code it gives, and whether it is one that the product expects. */
export const describeError = (error: unknown): DescribedError => {
  if (error instanceof TocsinError) {
    const code = usageCodes.has(error.code) ? exitCodes.usage : exitCodes.problem;
    return { message: error.message, code, expected: true };
  }
  // The domain has an InvariantError of its own, because it knows nothing of the runtime.
  if (error instanceof Error && error.name === 'InvariantError')
    return { message: error.message, code: exitCodes.problem, expected: true };
  // Before the database's errors: a file that is missing has the same code as a missing socket.
  if (error instanceof Error && 'syscall' in error && 'path' in error)
    return { message: error.message, code: exitCodes.problem, expected: true };
  if (error instanceof Error && databaseErrorKind(error) !== undefined)
    return { message: `the database answered: ${error.message}`, code: exitCodes.problem, expected: true };
  if (error instanceof Error && 'syscall' in error)
    return { message: error.message, code: exitCodes.problem, expected: true };
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    message: `an unexpected error, which is a bug in Tocsin:\n${stack}`,
    code: exitCodes.problem,
    expected: false,
  };
};
