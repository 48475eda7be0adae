import { describe, expect, test } from 'vitest';
import { retryAfterMs } from './retry-after.ts';

const now = Date.parse('2026-11-16T03:00:00Z');

describe('the wait a provider asks for', () => {
  test.each([
    ['nothing', {}, null],
    ['seconds', { 'retry-after': '30' }, 30_000],
    ['a date', { 'retry-after': 'Mon, 16 Nov 2026 03:01:00 GMT' }, 60_000],
    ['a reset time', { 'x-ratelimit-reset': String(now / 1_000 + 90) }, 90_000],
    ['both: the longer one', { 'retry-after': '30', 'x-ratelimit-reset': String(now / 1_000 + 90) }, 90_000],
    ['a time that has passed', { 'x-ratelimit-reset': String(now / 1_000 - 5), 'retry-after': '0' }, null],
    ['nonsense', { 'retry-after': 'run-7', 'x-ratelimit-reset': '-1' }, null],
    ['several values', { 'retry-after': ['1', '2'] }, null],
    [
      'a reset by its own clock, an hour ahead of ours',
      { date: 'Mon, 16 Nov 2026 04:00:00 GMT', 'x-ratelimit-reset': String(now / 1_000 + 3_600 + 10) },
      10_000,
    ],
  ])('is read from %s', (_caption, headers, expected) => {
    expect(retryAfterMs(headers, now)).toBe(expected);
  });
});
