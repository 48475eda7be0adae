import { open, stat } from 'node:fs/promises';

/**
 * Settings that make PostgreSQL log every statement with its time and its sender. Values are left out, so that the log
 * costs little. Parse, bind and execute are logged each by itself.
 */
export const statementLogSettings = {
  log_line_prefix: '%a|',
  log_min_duration_statement: '0',
  log_parameter_max_length: '0',
} as const;

/** Statements of one application (`application_name`), counted. */
export interface StatementCount {
  /** Statements run, `begin` and `commit` among them. */
  readonly statements: number;
  /** Time the server spent on them, parsing included, in milliseconds. */
  readonly serverMs: number;
}

/** The end of the server's log as it is now, in bytes: where to begin counting. */
export const logEnd = async (file: string): Promise<number> => (await stat(file)).size;

/** Counts the statements in the server's log from an offset on, by application. */
export const countStatements = async (file: string, from: number): Promise<ReadonlyMap<string, StatementCount>> => {
  const handle = await open(file);
  try {
    const counts = new Map<string, StatementCount>();
    for await (const line of handle.readLines({ start: from })) countLine(counts, line);
    return counts;
  } finally {
    await handle.close();
  }
};

/** Adds one line of the log to the counts; lines that are of no statement change nothing. */
export const countLine = (counts: Map<string, StatementCount>, line: string): void => {
  const [, application, ms, step] =
    /^([^|]*)\|LOG: {2}duration: ([\d.]+) ms {2}(parse|bind|execute|statement)\b/.exec(line) ?? [];
  if (application === undefined) return;
  const { statements, serverMs } = counts.get(application) ?? { statements: 0, serverMs: 0 };
  const ran = step === 'execute' || step === 'statement';
  counts.set(application, { statements: statements + (ran ? 1 : 0), serverMs: serverMs + Number(ms) });
};

/** The counts of all applications whose names begin so, added up. */
export const countOf = (counts: ReadonlyMap<string, StatementCount>, prefix: string): StatementCount => {
  const own = [...counts].filter(([application]) => application.startsWith(prefix)).map(([, count]) => count);
  return {
    statements: own.reduce((sum, count) => sum + count.statements, 0),
    serverMs: own.reduce((sum, count) => sum + count.serverMs, 0),
  };
};
