/** A bug or corrupt data: never an expected failure. Callers let it fail loudly and keep the row that caused it. */
export class InvariantError extends Error {
  readonly code = 'INVARIANT';
  override readonly name = 'InvariantError';
}
