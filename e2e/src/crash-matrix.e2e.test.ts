import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { crashPointsInCode } from './harness/crash-points.ts';

const repository = resolve(import.meta.dirname, '../..');
const inOneLine = (text: string): string => text.replaceAll(/\s+/g, ' ');
const guarantees = readFileSync(resolve(repository, 'docs/guarantees.md'), 'utf8');

/** What stands between two headings. */
const sectionOf = (text: string, heading: string): string => {
  const from = text.indexOf(`\n${heading}\n`);
  if (from < 0) throw new Error(`docs/guarantees.md has no heading ${heading}`);
  const level = heading.slice(0, heading.indexOf(' '));
  const to = text.slice(from + 1 + heading.length).search(new RegExp(`^#{1,${level.length}} `, 'm'));
  return to < 0 ? text.slice(from) : text.slice(from, from + 1 + heading.length + to);
};

interface Row {
  readonly name: string;
  readonly cells: readonly string[];
  readonly tests: readonly string[];
}

/** Rows of the one table of a section, without its head. */
const rowsOf = (section: string): readonly Row[] => {
  const [, , ...lines] = section.split('\n').filter((line) => line.startsWith('|'));
  return lines.map((line) => {
    const cells = line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
    return { name: cells[0] ?? '', cells, tests: (cells.at(-1) ?? '').split(', ') };
  });
};

const matrix = sectionOf(guarantees, '## Crash matrix');
const points = rowsOf(sectionOf(matrix, '### Killed at a point'));
const faults = rowsOf(sectionOf(matrix, '### Faults'));
const named = [...inOneLine(matrix).matchAll(/- \*\*(\w+)\*\* `([^`]+)`: "([^"]+)"/g)].map(
  ([, letter = '', file = '', title = '']) => ({ letter, file, title }),
);

/** `a.before_commit`, `.after_commit` → both names in full. */
const namesIn = (cell: string): readonly string[] => {
  const names = [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
  const stem = (names[0] ?? '').replace(/\.[a-z_]+$/, '');
  return names.map((name) => (name.startsWith('.') ? `${stem}${name}` : name));
};

describe('the published crash matrix', () => {
  test('has a row for every crash point in the code, and no other', () => {
    expect(points.flatMap(({ name }) => namesIn(name)).toSorted()).toEqual(crashPointsInCode());
  });

  test('says in every row what each system does, and which tests hold ours', () => {
    expect(faults.length).toBeGreaterThan(20);
    const letters = new Set(named.map(({ letter }) => letter));
    for (const { name, cells, tests } of [...points, ...faults]) {
      expect(cells, name).toHaveLength(6);
      expect(cells, name).not.toContain('');
      for (const letter of tests) expect(letters, `${name}: test ${letter}`).toContain(letter);
    }
    const used = new Set([...points, ...faults].flatMap(({ tests }) => tests));
    expect(named.filter(({ letter }) => !used.has(letter))).toEqual([]);
    expect(letters.size, 'letters that mean one test').toBe(named.length);
  });

  test.each(named)('$letter is a test in $file', ({ file, title }) => {
    const path = resolve(repository, file);
    expect(existsSync(path)).toBe(true);
    expect(inOneLine(readFileSync(path, 'utf8'))).toContain(title);
  });
});
