import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DURATION_MAX_MS, DURATION_PATTERN, durationLiteral, formatDuration, parseDuration } from './duration.ts';

describe('parseDuration', () => {
  test.each([
    ['500ms', 500],
    ['90s', 90_000],
    ['15m', 900_000],
    ['2h', 7_200_000],
    ['14d', 1_209_600_000],
    ['0s', 0],
    ['0', 0],
    [0, 0],
    ['3650d', DURATION_MAX_MS],
  ])('reads %j as %i ms', (text, durationMs) => {
    expect(parseDuration(text)).toBe(durationMs);
  });

  test.each([
    { caption: 'a number without a unit', given: 2, says: '2 has no unit' },
    { caption: 'text without a unit', given: '15', says: '"15" is not a duration' },
    { caption: 'a fraction', given: '1.5h', says: '"1.5h"' },
    { caption: 'a blank between number and unit', given: '15 m', says: '"15 m"' },
    { caption: 'a long unit name', given: '2 hours', says: '"2 hours"' },
    { caption: 'an upper-case unit', given: '2H', says: '"2H"' },
    { caption: 'a sign', given: '-5m', says: '"-5m"' },
    { caption: 'a leading zero', given: '05m', says: '"05m"' },
    { caption: 'weeks, which are not offered', given: '2w', says: '"2w"' },
    { caption: 'two units', given: '1h30m', says: '"1h30m"' },
    { caption: 'a trailing line break', given: '5m\n', says: '"5m\\n"' },
    { caption: 'nothing', given: '', says: '""' },
    { caption: 'a list', given: ['5m'], says: '["5m"]' },
    { caption: 'more than ten years', given: '3651d', says: 'the longest duration is 3650d' },
    { caption: 'more digits than a number holds', given: `${'9'.repeat(400)}d`, says: 'too long' },
  ])('refuses $caption, saying what was given', ({ given, says }) => {
    expect(() => parseDuration(given)).toThrow(
      expect.objectContaining({ code: 'DURATION_INVALID', message: expect.stringContaining(says) }),
    );
  });

  test('says what is allowed', () => {
    expect(() => parseDuration('soon')).toThrow(
      'a whole number followed by ms, s, m, h or d, for example 500ms, 90s, 15m, 2h, 14d, or 0',
    );
  });

  test('reads every literal back to the same number of milliseconds', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.integer({ min: 0, max: DURATION_MAX_MS }),
          fc.integer({ min: 0, max: 3_650 }).map((days) => days * 86_400_000),
        ),
        (durationMs) => {
          const literal = durationLiteral(durationMs);
          expect(literal).toMatch(new RegExp(DURATION_PATTERN));
          expect(parseDuration(literal)).toBe(durationMs);
        },
      ),
    );
  });

  test('multiplies the number by the unit', () => {
    const sizes = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 3_650 }),
        fc.constantFrom(...(['ms', 's', 'm', 'h', 'd'] as const)),
        (count, unit) => {
          expect(parseDuration(`${count}${unit}`)).toBe(count * sizes[unit]);
        },
      ),
    );
  });
});

describe('durationLiteral', () => {
  test.each([
    [0, '0s'],
    [90_000, '90s'],
    [7_200_000, '2h'],
    [1_500, '1500ms'],
  ])('writes %i ms as %s', (durationMs, literal) => {
    expect(durationLiteral(durationMs)).toBe(literal);
  });
});

describe('formatDuration', () => {
  test.each([
    [0, '0 s'],
    [0.4, '0 s'],
    [500, '500 ms'],
    [999.7, '1 s'],
    [59_600, '1 min'],
    [90_000, '1 min 30 s'],
    [900_000, '15 min'],
    [7_500_000, '2 h 5 min'],
    [7_205_000, '2 h'],
    [1_209_600_000, '14 d'],
    [90_000_000, '1 d 1 h'],
    [-300_000, '-5 min'],
  ])('shows %d ms as %s', (durationMs, text) => {
    expect(formatDuration(durationMs)).toBe(text);
  });
});
