import { describe, expect, test } from 'vitest';
import { median, quantile } from './quantile.ts';

const oneToHundred = Array.from({ length: 100 }, (_, index) => 100 - index);

describe('quantile', () => {
  test('gives the nearest rank of unordered values', () => {
    expect(quantile(oneToHundred, 0.99)).toBe(99);
    expect(quantile(oneToHundred, 0.5)).toBe(50);
    expect(quantile(oneToHundred, 1)).toBe(100);
    expect(quantile(oneToHundred, 0)).toBe(1);
  });

  test('of a single value is that value at every share', () => {
    expect([0, 0.5, 0.99, 1].map((q) => quantile([7], q))).toEqual([7, 7, 7, 7]);
  });

  test('refuses to make up a number when nothing was measured', () => {
    expect(() => median([])).toThrow('measure at least once');
  });

  test('refuses a percentage in place of a share', () => {
    expect(() => quantile([1, 2], 99)).toThrow('from 0 to 1');
  });
});
