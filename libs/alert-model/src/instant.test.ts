import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Instant } from './ids.ts';
import { addMs, compareInstants, earlier, isAfter, later, msBetween } from './instant.ts';

const date = fc.date({ min: new Date('1970-01-01'), max: new Date('2100-01-01'), noInvalidDate: true });

/** The same millisecond, written with no, three or six fraction digits. */
const written = (value: Date, micros: number, digits: 'short' | 'long'): string => {
  const text = value.toISOString();
  if (digits === 'long' || micros > 0) return text.replace('Z', `${String(micros).padStart(3, '0')}Z`);
  return text.replace(/\.?0*Z$/, 'Z');
};
const digits = fc.constantFrom('short', 'long');
const micros = fc.integer({ min: 0, max: 999 });

describe('compareInstants', () => {
  test('orders as dates do, whatever number of fraction digits is written', () => {
    fc.assert(
      fc.property(date, date, digits, digits, (a, b, left, right) => {
        expect(Math.sign(compareInstants(written(a, 0, left), written(b, 0, right)))).toBe(
          Math.sign(a.getTime() - b.getTime()),
        );
      }),
    );
  });

  test('tells microseconds of the same millisecond apart', () => {
    fc.assert(
      fc.property(date, micros, micros, digits, (value, a, b, form) => {
        expect(Math.sign(compareInstants(written(value, a, form), written(value, b, 'long')))).toBe(Math.sign(a - b));
      }),
    );
  });

  test('orders whole seconds before their fractions', () => {
    expect(compareInstants('2026-03-02T03:04:05Z', '2026-03-02T03:04:05.000001Z')).toBe(-1);
    expect(compareInstants('2026-03-02T03:04:05.100Z', '2026-03-02T03:04:05.1Z')).toBe(0);
  });
});

test('every text that Instant accepts has seconds, which comparing relies on', () => {
  expect(Instant.safeParse('2026-03-02T03:04Z').success).toBe(false);
  expect(Instant.safeParse('2026-03-02T03:04:05+01:00').success).toBe(false);
  expect(Instant.safeParse('2026-03-02T03:04:05.123456Z').success).toBe(true);
});

test('isAfter is strict, and earlier and later choose one of the two', () => {
  const [a, b] = ['2026-03-02T03:04:05Z', '2026-03-02T03:04:05.5Z'];
  expect([isAfter(b, a), isAfter(a, b), isAfter(a, a)]).toEqual([true, false, false]);
  expect([earlier(a, b), later(a, b)]).toEqual([a, b]);
});

test('addMs and msBetween are each other’s inverse', () => {
  fc.assert(
    fc.property(date, fc.integer({ min: -1e9, max: 1e9 }), (value, ms) => {
      const from = value.toISOString();
      expect(msBetween(from, addMs(from, ms))).toBe(ms);
    }),
  );
});
