/** A configuration that cannot be used, one entry per thing to put right. */
export type ConfigProblem = {
  /** The environment variable (`SMTP_URL`) or the YAML path (`jobs[0].poll`) the problem sits at. */
  readonly path: string;
  /** What is wrong, the value that was given (secrets masked) and how to put it right. */
  readonly message: string;
};

/**
 * Base class of every error this product throws on purpose. `code` is stable and made for programs; `message` is made
 * for people: it names the input and the cure. The original error, if there is one, is kept as `cause`.
 */
export class TocsinError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'TocsinError';
    this.code = code;
  }
}

/** A bug or corrupt data: something that cannot be true is. Never caught to be ignored; the job fails loudly and keeps its row. */
export class InvariantError extends TocsinError {
  constructor(message: string, options?: ErrorOptions) {
    super('INVARIANT', message, options);
    this.name = 'InvariantError';
  }
}

/** The configuration is wrong. Carries every problem found, so that one run of the program shows them all. Exit code 2. */
export class ConfigError extends TocsinError {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[], options?: ErrorOptions) {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    const lines = problems.map((problem) => `  - ${problem.path}: ${problem.message}`);
    super('CONFIG_INVALID', [`The configuration has ${count}; nothing was started.`, ...lines].join('\n'), options);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}
