import { expect, test } from 'vitest';
import { firstDifference } from './first-difference.ts';

test('the order of keys and members that are undefined make no difference', () => {
  expect(firstDifference({ a: 1, b: [{ c: null }], d: undefined }, { b: [{ c: null }], a: 1 })).toBeNull();
});

test.each([
  [{ a: { b: [1, 2] } }, { a: { b: [1, 3] } }, 'a.b[1]: 2 against 3'],
  [{ a: [1] }, { a: [1, 2] }, 'a: 1 entries against 2'],
  [{ a: 1 }, {}, 'a: 1 against nothing'],
  [{ a: null }, {}, 'a: null against nothing'],
  [{ a: '1' }, { a: 1 }, 'a: "1" against 1'],
  [{ a: [] }, { a: {} }, 'a: [] against {}'],
])('%j against %j differs at its place', (folded, stored, difference) => {
  expect(firstDifference(folded, stored)).toBe(difference);
});
