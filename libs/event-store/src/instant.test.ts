import { describe, expect, it } from 'vitest';
import { inMicroseconds, laterInstant } from './instant.ts';

describe('inMicroseconds', () => {
  it.each([
    ['2026-01-31T03:04Z', '2026-01-31T03:04:00.000000Z'],
    ['2026-01-31T03:04:05Z', '2026-01-31T03:04:05.000000Z'],
    ['2026-01-31T03:04:05.6Z', '2026-01-31T03:04:05.600000Z'],
    ['2026-01-31T03:04:05.123456Z', '2026-01-31T03:04:05.123456Z'],
    ['2026-01-31T03:04:05.123456789Z', '2026-01-31T03:04:05.123456Z'],
  ])('writes %s as %s', (given, exact) => {
    expect(inMicroseconds(given)).toBe(exact);
  });

  it.each(['2026-01-31', '2026-01-31T03:04:05+01:00', 'now', ''])('refuses %j', (given) => {
    expect(() => inMicroseconds(given)).toThrow('no instant in UTC');
  });
});

describe('laterInstant', () => {
  it('moves by milliseconds and keeps the microseconds', () => {
    expect(laterInstant('2025-12-31T23:59:59.999999Z', 1)).toBe('2026-01-01T00:00:00.000999Z');
    expect(laterInstant('2026-01-01T00:00:00.000001Z', -1)).toBe('2025-12-31T23:59:59.999001Z');
  });
});
