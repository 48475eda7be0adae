import { loadavg } from 'node:os';
import type { Finding } from '../bench.ts';

/** The average number of running processes over the last minute: a result taken under load says less. */
export const loadNow = (): string => loadavg()[0]?.toFixed(1) ?? '?';

/** Findings as lines of a table, each result beside its budget. */
export const findingLines = (findings: readonly Finding[]): readonly string[] =>
  tableLines([
    ['measure', 'result', 'budget', ''],
    ...findings.map(({ what, result, budget = '', kept }) => [
      what,
      result,
      budget,
      kept === undefined ? '' : kept ? 'PASS' : 'MISS',
    ]),
  ]);

/** Rows as lines with columns of equal width; the first row is the head. */
const tableLines = (rows: readonly (readonly string[])[]): readonly string[] => {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return lines.toSpliced(
    1,
    0,
    widths
      .map((width) => '-'.repeat(width))
      .join('  ')
      .trimEnd(),
  );
};
