/** The command was called wrongly; the message says how it is called rightly. Exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
