import { addMs, compareInstants } from '@tocsin/alert-model';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { advanceCursor, blindOverlapMs, heldByWriterMaxMs, overlapDefaultMs } from './cursor.ts';
import type { Horizon } from './cursor.ts';

const base = '2026-03-01T03:00:00.000000Z';
const instant = fc.integer({ min: -7_200_000, max: 7_200_000 }).map((ms) => addMs(base, ms));
const horizon: fc.Arbitrary<Horizon> = fc.record({ readAt: instant, oldestWriterAt: fc.option(instant) });

it('never goes back, never beyond the overlap behind the clock, never beyond a row that was not read', () => {
  fc.assert(
    fc.property(
      instant,
      horizon,
      fc.option(instant),
      fc.integer({ min: 0, max: 60_000 }),
      (current, before, reached, overlap) => {
        const next = advanceCursor(current, before, reached, overlap);
        const limits = [before.readAt, reached ?? before.readAt].map((limit) => addMs(limit, -overlap));
        expect(compareInstants(next, current)).toBeGreaterThanOrEqual(0);
        expect(next === current || limits.every((limit) => compareInstants(next, limit) <= 0)).toBe(true);
      },
    ),
  );
});

it('never passes a writer that runs for less than the longest time it is waited for', () => {
  fc.assert(
    fc.property(
      instant,
      instant,
      fc.integer({ min: 0, max: heldByWriterMaxMs }),
      fc.option(instant),
      (current, readAt, ageMs, reached) => {
        const oldestWriterAt = addMs(readAt, -ageMs);
        const next = advanceCursor(current, { readAt, oldestWriterAt }, reached, overlapDefaultMs);
        const limit = addMs(oldestWriterAt, -overlapDefaultMs);
        expect(next === current || compareInstants(next, limit) <= 0).toBe(true);
      },
    ),
  );
});

it('stays where it is while nothing is known of the moment before the read', () => {
  expect(advanceCursor(base, null, null, overlapDefaultMs)).toBe(base);
});

it('is not held for ever by a transaction that somebody forgot', () => {
  const readAt = addMs(base, 10 * heldByWriterMaxMs);
  expect(advanceCursor(base, { readAt, oldestWriterAt: base }, null, overlapDefaultMs)).toBe(
    addMs(readAt, -overlapDefaultMs),
  );
});

it('is not pushed by a row from the future', () => {
  const readAt = addMs(base, 60_000);
  const next = advanceCursor(base, { readAt, oldestWriterAt: null }, addMs(readAt, 3_600_000), overlapDefaultMs);
  expect(next).toBe(addMs(readAt, -overlapDefaultMs));
});

it('stays further behind where writers cannot be seen', () => {
  const readAt = addMs(base, 600_000);
  expect(advanceCursor(base, { readAt, oldestWriterAt: null }, null, blindOverlapMs)).toBe(
    addMs(readAt, -blindOverlapMs),
  );
});
