import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jobPatternProblem, PATTERN_CHARACTERS_MAX, patternCovers } from './job-pattern.ts';

describe('patternCovers', () => {
  test.each([
    ['apple', 'apple', true],
    ['apple', 'apples', false],
    ['apple', 'Apple', false],
    ['*', '', true],
    ['refresh_*', 'refresh_catalog', true],
    ['refresh_*', 'x_refresh_catalog', false],
    ['*_index', 'rebuild_index', true],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'a-c-b', false],
    ['ab*ba', 'aba', false],
    ['*b*b*', 'abc', false],
    ['a.c', 'abc', false],
    ['test-*', 'test-a*', true],
    ['test-a*', 'test-*', false],
  ])('%j over %j is %s', (pattern, other, covers) => {
    expect(patternCovers(pattern, other)).toBe(covers);
  });

  test('agrees with a regular expression for every pattern', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '*', '.', '\n'), maxLength: 8 });
    fc.assert(
      fc.property(text, text, (pattern, other) => {
        const source = pattern.replaceAll('.', '\\.').replaceAll('*', '[^]*');
        expect(patternCovers(pattern, other)).toBe(new RegExp(`^${source}$`).test(other));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('jobPatternProblem', () => {
  test.each(['a', '*', 'refresh_*', 'Ünï-cöde/1.2:3', 'x'.repeat(PATTERN_CHARACTERS_MAX)])('accepts %j', (pattern) => {
    expect(jobPatternProblem(pattern)).toBeUndefined();
  });

  test.each([
    ['', 'must not be empty'],
    ['x'.repeat(PATTERN_CHARACTERS_MAX + 1), 'at most 200 characters'],
    [' a', 'begin or end with a blank'],
    ['a\u0000b', 'control characters'],
    ['a**', 'write a single *'],
    ['a?', '? has no meaning here'],
    ['{a,b}', '{ has no meaning here'],
    ['a\\*', '\\ has no meaning here'],
    ['!a', '! has no meaning here'],
  ])('refuses %j', (pattern, problem) => {
    expect(jobPatternProblem(pattern)).toContain(problem);
  });
});
