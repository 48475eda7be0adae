import type { Terminal } from '../terminal.ts';

const codes = { bold: '1', dim: '2', red: '31', green: '32', yellow: '33' } as const;

/** Colours a piece of finished text; where colours are not wanted it stays as it is. Use after padding: codes take no cell. */
export const paint = (terminal: Pick<Terminal, 'coloured'>, colour: keyof typeof codes, text: string): string =>
  terminal.coloured ? `\u001b[${codes[colour]}m${text}\u001b[0m` : text;
