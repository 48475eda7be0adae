import { cleanLine } from './clean-line.ts';
import { fitWidth, padWidth, textWidth } from './text-width.ts';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** Gives way when the table is too wide; at most one column does. */
  readonly flexible?: boolean;
  /** Most cells it takes, however wide the table may be. */
  readonly max?: number;
}

const gap = '  ';
const flexibleCellsMin = 12;

/**
 * Lines of a table with a heading, no wider than `width` as long as the columns that do not give way leave room for it.
 * Cells are cleaned, so that nothing in them reaches the terminal raw.
 */
export const tableLines = (
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
): readonly string[] => {
  const cells = [columns.map(({ title }) => title), ...rows.map((row) => row.map(cleanLine))];
  const natural = columns.map(({ max = Infinity }, index) =>
    Math.min(max, Math.max(...cells.map((row) => textWidth(row[index] ?? '')))),
  );
  const taken = natural.reduce((sum, cell) => sum + cell, 0) + gap.length * (columns.length - 1);
  const widths = natural.map((cell, index) =>
    columns[index]?.flexible === true ? Math.max(flexibleCellsMin, cell - Math.max(0, taken - width)) : cell,
  );
  return cells.map((row) =>
    row
      .map((cell, index) => {
        const cellsMax = widths[index] ?? 0;
        return padWidth(fitWidth(cell, cellsMax), cellsMax, columns[index]?.align);
      })
      .join(gap)
      .trimEnd(),
  );
};
