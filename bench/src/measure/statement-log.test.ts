import { expect, test } from 'vitest';
import { peakOf } from './memory.ts';
import { countLine, countOf } from './statement-log.ts';
import type { StatementCount } from './statement-log.ts';

const count = (...lines: readonly string[]): ReadonlyMap<string, StatementCount> => {
  const counts = new Map<string, StatementCount>();
  for (const line of lines) countLine(counts, line);
  return counts;
};

test('a statement is counted once, and the time of all its steps', () => {
  const counts = count(
    'tocsin-detector|LOG:  duration: 0.250 ms  parse <unnamed>: select 1',
    'tocsin-detector|LOG:  duration: 0.125 ms  bind <unnamed>: select 1',
    'tocsin-detector|LOG:  duration: 2.500 ms  execute <unnamed>: select 1',
    '\tfrom somewhere',
  );
  expect([...counts]).toEqual([['tocsin-detector', { statements: 1, serverMs: 2.875 }]]);
});

test('a simple statement such as begin is counted', () => {
  expect(
    countOf(count('tocsin-notifier|LOG:  duration: 0.010 ms  statement: begin'), 'tocsin-notifier').statements,
  ).toBe(1);
});

test('the connections of one worker are added up and those of another left out', () => {
  const counts = count(
    'tocsin-detector|LOG:  duration: 1.000 ms  statement: begin',
    'tocsin-detector-queue|LOG:  duration: 1.000 ms  execute <unnamed>: insert',
    'tocsin-notifier|LOG:  duration: 1.000 ms  statement: begin',
  );
  expect(countOf(counts, 'tocsin-detector')).toEqual({ statements: 2, serverMs: 2 });
});

test('lines that are no statements count nothing', () => {
  expect(count('|LOG:  database system is ready', 'tocsin-detector|ERROR:  deadlock detected', '').size).toBe(0);
});

test('the peak of memory is read in bytes', () => {
  expect(peakOf('Name:\tnode\nVmPeak:\t  900000 kB\nVmHWM:\t  102400 kB\nVmRSS:\t  90000 kB\n')).toBe(104_857_600);
});
