/** Where a command talks to: what it may write, and what it knows of its surroundings. Given, so that tests can listen. */
export interface Terminal {
  /** Writes to standard output as it is. */
  readonly write: (text: string) => void;
  /** Resolves when standard output takes more; awaited between the pieces of long output. */
  readonly drained: () => Promise<void>;
  /** Writes to standard error as it is. */
  readonly complain: (text: string) => void;
  /** Width that output may have, in characters. */
  readonly columns: number;
  /** Width at which sentences are broken; infinite where nobody reads them in a terminal, so that they can be searched. */
  readonly textColumns: number;
  /** Whether standard output is a terminal that shows colours, and nobody asked for none (https://no-color.org). */
  readonly coloured: boolean;
  /** Whether somebody reads standard error in a terminal. */
  readonly watched: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Aborts when the command is asked to end (Ctrl-C, SIGTERM). From the first call on, the process no longer ends by itself then. */
  readonly interruption: () => AbortSignal;
}

/** One call of the command: its surroundings and the options that every command has. */
export interface Invocation {
  readonly terminal: Terminal;
  /** `--config`; undefined means TOCSIN_CONFIG or ./tocsin.yaml. */
  readonly configFile: string | undefined;
}
