import { expect, test } from 'vitest';
import { nearestName, suggestName } from './nearest-name.ts';

test.each([
  ['chanels', 'channels'],
  ['Routes', 'routes'],
  ['warning', 'warn'],
  ['pagerduty', undefined],
])('takes %s for %s', (given, near) => {
  expect(nearestName(given, ['channels', 'routes', 'warn'])).toBe(near);
});

test('lists what is valid when nothing is near, and says when there is nothing', () => {
  expect(suggestName('zzzzzz', ['a', 'b'])).toBe('; valid: a, b');
  expect(suggestName('zzzzzz', [])).toBe('; none is declared');
});
