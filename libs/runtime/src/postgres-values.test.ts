import { describe, expect, test } from 'vitest';
import { parseInstant, parseInt8 } from './postgres-values.ts';

describe('parseInstant', () => {
  test.each([
    ['six digits are always written', '2026-01-31 03:00:00+00', '2026-01-31T03:00:00.000000Z'],
    ['a shorter fraction is filled up', '2026-01-31 03:00:00.12+00', '2026-01-31T03:00:00.120000Z'],
    ['microseconds are kept', '2026-01-31 03:00:00.123456+00', '2026-01-31T03:00:00.123456Z'],
    ['a zero in the middle is kept', '2026-01-31 03:00:00.00001+00', '2026-01-31T03:00:00.000010Z'],
    ['a time east of Greenwich becomes UTC', '2026-01-31 03:00:00.5+02', '2026-01-31T01:00:00.500000Z'],
    ['half hours of offset count', '2026-01-31 03:00:00.000001+05:30', '2026-01-30T21:30:00.000001Z'],
    ['a time west of Greenwich crosses the year', '2025-12-31 23:00:00-08', '2026-01-01T07:00:00.000000Z'],
    ['local mean time of old dates has seconds', '1850-01-01 00:00:00+00:19:32', '1849-12-31T23:40:28.000000Z'],
    ['infinity stays', 'infinity', 'infinity'],
    ['minus infinity stays', '-infinity', '-infinity'],
  ])('%s', (_caption, text, instant) => {
    expect(parseInstant(text)).toBe(instant);
  });

  test.each(['31.01.2026 03:00:00 CET', '0044-03-15 12:00:00+00 BC', '2026-01-31', ''])('refuses %j', (text) => {
    expect(() => parseInstant(text)).toThrow(RangeError);
  });
});

describe('parseInt8', () => {
  test('gives a number as long as it is exact', () => {
    expect(parseInt8('9007199254740991')).toBe(9_007_199_254_740_991);
    expect(parseInt8('-1')).toBe(-1);
  });

  test('gives the text where a number would be rounded', () => {
    expect(parseInt8('9007199254740993')).toBe('9007199254740993');
  });
});
