import { describe, expect, test } from 'vitest';
import { between, formatDuration, longTime, shortTime, timeNear } from './format-time.ts';

describe('times in words', () => {
  test('are given in UTC whatever the zone of the machine', () => {
    expect(longTime('2026-11-09T03:04:05.678901Z')).toBe('Monday 9 Nov, 03:04 UTC');
    expect(shortTime('2026-03-01T00:30:00+02:00')).toBe('Sat 28 Feb, 22:30 UTC');
  });

  test('leave out the day when it is the same', () => {
    expect(timeNear('2026-11-16T03:07:00Z', '2026-11-16T03:02:00Z')).toBe('03:07 UTC');
    expect(timeNear('2026-11-17T00:01:00Z', '2026-11-16T23:58:00Z')).toBe('Tue 17 Nov, 00:01 UTC');
  });

  test('show text that is no instant as it is, even where the platform would read a date out of it', () => {
    expect(shortTime('run-7')).toBe('run-7');
    expect(longTime('2026-13-45T99:99:99Z')).toBe('2026-13-45T99:99:99Z');
    expect(between('yesterday', '2026-11-16T03:02:00Z')).toBeNull();
  });

  test.each([
    [-5, '0 s'],
    [45_900, '45 s'],
    [60_000, '1 min'],
    [7_500_000, '2 h 5 min'],
    [7_200_000, '2 h'],
    [172_800_000, '2 d'],
    [187_200_000, '2 d 4 h'],
    [Number.NaN, '0 s'],
  ])('%d ms are %s', (ms, expected) => {
    expect(formatDuration(ms)).toBe(expected);
  });
});
