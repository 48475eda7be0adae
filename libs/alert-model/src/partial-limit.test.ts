import { expect, test } from 'vitest';
import { partialWords, withinPartialLimit } from './partial-limit.ts';

test.for([
  ['one of a thousand within a twentieth', { failed: 1, total: 1_000 }, { failed: null, ratio: 0.05 }, true],
  ['exactly a twentieth', { failed: 50, total: 1_000 }, { failed: null, ratio: 0.05 }, true],
  ['more than a twentieth', { failed: 51, total: 1_000 }, { failed: null, ratio: 0.05 }, false],
  [
    'seven of seventy at a tenth, where 0.1 × 70 is not 7 for a computer',
    { failed: 7, total: 70 },
    { failed: null, ratio: 0.1 },
    true,
  ],
  ['few, but more than the number', { failed: 11, total: 1_000 }, { failed: 10, ratio: 0.05 }, false],
  ['a large share, but few', { failed: 3, total: 10 }, { failed: 10, ratio: 0.05 }, false],
  ['the number alone', { failed: 10, total: 11 }, { failed: 10, ratio: null }, true],
  ['of an unknown total, where only a share is set', { failed: 1, total: null }, { failed: null, ratio: 0.5 }, false],
  ['of an unknown total, within the number', { failed: 2, total: null }, { failed: 2, ratio: 0.5 }, true],
  ['of nothing', { failed: 1, total: 0 }, { failed: null, ratio: 0.5 }, false],
  ['none at all', { failed: 0, total: null }, { failed: null, ratio: 0.05 }, true],
  ['everything, where the rule is off', { failed: 9, total: 9 }, 'off', true],
  ['one, where a rule sets neither', { failed: 1, total: 9 }, { failed: null, ratio: null }, false],
] as const)('%s', ([, counts, limit, within]) => {
  expect(withinPartialLimit(counts, limit)).toBe(within);
});

test.for([
  [{ failed: 50, total: 1_000 }, '50 of 1,000 parts failed'],
  [{ failed: 1, total: 1 }, '1 of 1 part failed'],
  [{ failed: 1, total: null }, '1 part failed'],
  [{ failed: 2_000, total: null }, '2,000 parts failed'],
] as const)('%j reads "%s"', ([counts, words]) => {
  expect(partialWords(counts)).toBe(words);
});
