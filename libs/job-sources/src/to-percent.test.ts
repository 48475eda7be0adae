import { expect, test } from 'vitest';
import { toPercent } from './to-percent.ts';

test.each([
  ['40', 40],
  ['40 %', 40],
  ['33.333', 33.3],
  ['2 of 5 pages', 40],
  ['0 of 5', 0],
  ['0 of 0', null],
  ['7 of 5', null],
  ['140', null],
  ['-3', null],
  ['almost done', null],
  ['', null],
  [null, null],
])('a progress of %j is %j percent', (text, percent) => {
  expect(toPercent(text)).toBe(percent);
});
