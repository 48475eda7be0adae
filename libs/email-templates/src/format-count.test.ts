import { describe, expect, test } from 'vitest';
import { counted, listed, ordinal } from './format-count.ts';

describe('counts in words', () => {
  test('agree with their noun', () => {
    expect(counted(1, 'failure')).toBe('1 failure');
    expect(counted(2000, 'failure')).toBe('2,000 failures');
  });

  test('are ordinals in words up to ten', () => {
    expect([1, 3, 10, 11, 21, 22, 103].map(ordinal)).toEqual([
      'first',
      'third',
      'tenth',
      '11th',
      '21st',
      '22nd',
      '103rd',
    ]);
  });

  test('stand for the names that are not listed', () => {
    expect(listed([], 2)).toBe('');
    expect(listed(['a'], 2)).toBe('a');
    expect(listed(['a', 'b'], 2)).toBe('a and b');
    expect(listed(['a', 'b', 'c', 'd'], 2)).toBe('a, b and 2 more');
  });
});
