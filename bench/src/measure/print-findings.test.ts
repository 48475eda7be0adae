import { expect, test } from 'vitest';
import { findingLines } from './print-findings.ts';

test('a kept budget passes, a broken one misses, and a number without one says neither', () => {
  expect(
    findingLines([
      { what: 'told', result: '9 s', budget: '10 s', kept: true },
      { what: 'memory', result: '300 MB', budget: '200 MB', kept: false },
      { what: 'mails', result: '3' },
    ]),
  ).toEqual([
    'measure  result  budget',
    '-------  ------  ------  ----',
    'told     9 s     10 s    PASS',
    'memory   300 MB  200 MB  MISS',
    'mails    3',
  ]);
});
