import { expect, test } from 'vitest';
import { cleanLine } from './clean-line.ts';
import { listed } from './lines.ts';
import { age, moment } from './moment.ts';
import { outlineLines } from './outline.ts';
import { tableLines } from './table.ts';
import { fitWidth, padWidth, textWidth } from './text-width.ts';
import { wrapLine } from './wrap-line.ts';

test('nothing a terminal would obey gets through', () => {
  expect(cleanLine('a\u001b[31mred\u001b[0m\u0007\r\nb\u202ec\u200b\tд')).toBe('ared bc д');
  expect(cleanLine('\u009b2J\u0000x')).toBe('2Jx');
});

test('wide characters and emoji count two cells, combining marks none', () => {
  expect(['abc', '日本', 'e\u0301', '🔔', 'ü→…'].map(textWidth)).toEqual([3, 4, 1, 2, 3]);
  expect(fitWidth('日本語の仕事', 7)).toBe('日本語…');
  expect(textWidth(padWidth('日本', 6))).toBe(6);
});

test('a table keeps to its width: the flexible column gives way, cells are cleaned', () => {
  const lines = tableLines(
    [{ title: 'ID' }, { title: 'TITLE', flexible: true }, { title: 'N', align: 'right' }],
    [
      ['1', 'x'.repeat(80), '7'],
      ['2', 'evil\u001b[2J\nname', '12345'],
    ],
    40,
  );
  expect(lines.every((line) => textWidth(line) <= 40)).toBe(true);
  expect(lines[1]).toContain('…');
  expect(lines[2]).toMatch(/^2 {3}evil name +12345$/);
});

test('times are UTC with their age by the given clock, and say when they lie ahead', () => {
  const now = '2026-03-02T05:05:00.000000Z';
  expect(moment('2026-03-02T03:00:00.123456Z', now)).toBe('2026-03-02 03:00:00 UTC (2 h 5 min ago)');
  expect(moment('2026-03-02T05:17:00Z', now)).toBe('2026-03-02 05:17:00 UTC (in 12 min)');
  expect(age('2026-03-02T03:00:00Z', now)).toBe('2 h ago');
});

test('lists are shortened by counting the rest', () => {
  expect([listed([]), listed(['a']), listed(['a', 'b']), listed(['a', 'b', 'c', 'd'], 3)]).toEqual([
    '',
    'a',
    'a and b',
    'a, b and 2 more',
  ]);
});

test('a long line is broken at blanks and goes on under its beginning', () => {
  expect(wrapLine('  one two three four', 12, '    ')).toEqual(['  one two', '    three', '    four']);
});

test('an outline shows durations in words and an empty match as everything', () => {
  expect(
    outlineLines({ routes: [{ name: 'a', match: {}, digest: { windowMs: 900_000 }, channels: ['x', 'y'] }] }),
  ).toEqual([
    'routes:',
    '  - name: a',
    '    match: everything',
    '    digest:',
    '      window: 15m',
    '    channels: [x, y]',
  ]);
});
