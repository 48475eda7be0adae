import { expect, test } from 'vitest';
import { instant } from './option-parsers.ts';

test.each([
  ['2026-03-02', '2026-03-02T00:00:00.000Z'],
  ['2026-03-02 09:00', '2026-03-02T09:00:00.000Z'],
  ['2026-03-02T09:00Z', '2026-03-02T09:00:00.000Z'],
  ['2026-03-02T09:00:05+02:00', '2026-03-02T07:00:05.000Z'],
  ['2026-03-02T09:00:05.123456Z', '2026-03-02T09:00:05.123456Z'],
])('%s is read as %s', (text, expected) => {
  expect(instant(text)).toBe(expected);
});

test.each(['', '9:00', '2026-02-30T00:00Z', '2026-13-01', 'tomorrow', '1767225600'])('%j is no instant', (text) => {
  expect(() => instant(text)).toThrow('Write an instant');
});
