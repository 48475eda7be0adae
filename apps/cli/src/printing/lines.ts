import type { Terminal } from '../terminal.ts';

/** Writes whole lines. */
export const printLines = (terminal: Terminal, lines: readonly string[]): void => {
  if (lines.length > 0) terminal.write(`${lines.join('\n')}\n`);
};

/** `1 event`, `2 events`, with thousands separated. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;

/** `a`, `a and b`, `a, b and c`; beyond `max` the rest is counted. */
export const listed = (items: readonly string[], max = 6): string => {
  const shown = items.length > max ? [...items.slice(0, max - 1), `${items.length - max + 1} more`] : items;
  return shown.length <= 1 ? (shown[0] ?? '') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1) ?? ''}`;
};
