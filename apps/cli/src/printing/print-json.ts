import type { Terminal } from '../terminal.ts';

/** Writes one JSON document, indented for people. */
export const printJson = (terminal: Terminal, value: unknown): void =>
  terminal.write(`${JSON.stringify(value, null, 2)}\n`);

/** Writes one line of NDJSON. */
export const printJsonLine = (terminal: Terminal, value: unknown): void => terminal.write(`${JSON.stringify(value)}\n`);
