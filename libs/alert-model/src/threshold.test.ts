import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { at, failure } from '../fixtures/builders.ts';
import type { Threshold } from './policy.ts';
import type { FailureSignal } from './signal.ts';
import { judgeThreshold, thresholdNote } from './threshold.ts';

/** A failure so many minutes after midnight, with what it knows of successes. */
const fail = (minutes: number, lastSuccess: number | null = null, successes = 0): FailureSignal =>
  failure({
    failedAt: at(minutes),
    history: { lastSuccessAt: lastSuccess === null ? null : at(lastSuccess), successes },
  });
const minutesOf = (signals: readonly FailureSignal[]): readonly number[] =>
  signals.map(({ failedAt }) => (Date.parse(failedAt) - Date.parse(at(0))) / 60_000);

const threeInARow: Threshold = { kind: 'in-a-row', failures: 3 };
const threeInTen: Threshold = { kind: 'count', failures: 3, withinMs: 600_000 };
const overAFifth: Threshold = { kind: 'ratio', over: 0.2, withinMs: 3_600_000, atLeast: 20 };

describe('in a row', () => {
  test('the third without a success between is told, with the two before it, oldest first', () => {
    const held = [fail(20), fail(10)];
    const verdict = judgeThreshold(threeInARow, fail(30), held);
    expect(verdict).toMatchObject({ tell: true, drop: [], words: '3 failures in a row' });
    expect(verdict.tell && minutesOf(verdict.with)).toEqual([10, 20]);
    expect(thresholdNote(threeInARow, 'rules[0]', verdict)).toBe('3 failures in a row; rules[0] tells from the third.');
  });

  test('the second is held back, and says how far it is', () => {
    expect(judgeThreshold(threeInARow, fail(20), [fail(10)])).toEqual({
      tell: false,
      drop: [],
      words: '2 of 3 in a row',
    });
  });

  test('failures at or before the latest success are dropped for ever', () => {
    const [one, two] = [fail(10), fail(20)];
    expect(judgeThreshold(threeInARow, fail(30, 20), [one, two])).toEqual({
      tell: false,
      drop: [one.outcomeId, two.outcomeId],
      words: '1 of 3 in a row',
    });
  });

  test('a failure from before a success that a later one knows of does not complete the row', () => {
    const held = [fail(30, 15), fail(40, 15)];
    expect(judgeThreshold(threeInARow, fail(10), held)).toEqual({ tell: false, drop: [], words: '2 of 3 in a row' });
  });

  test('a failure whose history nobody asked for counts like any other', () => {
    const plain = [failure({ failedAt: at(1) }), failure({ failedAt: at(2) })];
    expect(judgeThreshold(threeInARow, failure({ failedAt: at(3) }), plain).tell).toBe(true);
  });

  test('a failure delivered again while it is held counts once', () => {
    const again = fail(10);
    expect(judgeThreshold(threeInARow, again, [again, fail(5)]).tell).toBe(false);
  });

  test.for([
    [1, 'first'],
    [11, '11th'],
    [21, '21st'],
    [112, '112th'],
  ] as const)('the note tells from number %i as the %s', ([failures, words]) => {
    expect(thresholdNote({ kind: 'in-a-row', failures }, 'rules[0]', { words: 'x' })).toContain(`the ${words}.`);
  });
});

describe('so many within a time', () => {
  test('counts what failed at most that long before the newest, the edge included', () => {
    const verdict = judgeThreshold(threeInTen, fail(30), [fail(20), fail(25)]);
    expect(verdict).toMatchObject({ tell: true, words: '3 failures within 10 min' });
    expect(thresholdNote(threeInTen, 'rules[1]', verdict)).toBe(
      '3 failures within 10 min; rules[1] tells from 3 within 10 min.',
    );
  });

  test('drops what is older', () => {
    const old = fail(19);
    expect(judgeThreshold(threeInTen, fail(30), [old, fail(25)])).toEqual({
      tell: false,
      drop: [old.outcomeId],
      words: '2 of 3 within 10 min',
    });
  });

  test('a success between them changes nothing', () => {
    expect(judgeThreshold(threeInTen, fail(30, 29), [fail(24), fail(25)]).tell).toBe(true);
  });
});

describe('a share', () => {
  test('is told above it, once enough have ended', () => {
    const held = Array.from({ length: 4 }, (_, n) => fail(n));
    const verdict = judgeThreshold(overAFifth, fail(10, 9, 15), held);
    expect(verdict).toMatchObject({ tell: true, words: '5 of 20 jobs failed within 1 h' });
    expect(thresholdNote(overAFifth, 'rules[2]', verdict)).toBe(
      '5 of 20 jobs failed within 1 h; rules[2] tells above 20 % of at least 20.',
    );
  });

  test('is held back at the share itself, and while too few have ended', () => {
    const held = Array.from({ length: 4 }, (_, n) => fail(n));
    expect(judgeThreshold(overAFifth, fail(10, 9, 20), held)).toMatchObject({
      tell: false,
      words: '5 of 25 jobs failed within 1 h, 20 % of at least 20 may',
    });
    expect(judgeThreshold(overAFifth, fail(10, null, 0), held).tell).toBe(false);
  });
});

test('whatever the order of the failures held, the verdict is the same, and no failure is both told and dropped', () => {
  const signals = fc.uniqueArray(
    fc.record({ minute: fc.nat(200), success: fc.option(fc.nat(200)), successes: fc.nat(30) }),
    { selector: ({ minute }) => minute, minLength: 1, maxLength: 12 },
  );
  const cases = signals.chain((list) => {
    const failures = list.map(({ minute, success, successes }) =>
      fail(minute, success === null || success >= minute ? null : success, successes),
    );
    return fc.record({
      signal: fc.constantFrom(...failures),
      one: fc.shuffledSubarray(failures, { minLength: failures.length }),
      other: fc.shuffledSubarray(failures, { minLength: failures.length }),
      threshold: fc.constantFrom(threeInARow, threeInTen, overAFifth),
    });
  });
  fc.assert(
    fc.property(cases, ({ signal, one, other, threshold }) => {
      const verdict = judgeThreshold(threshold, signal, one);
      expect(judgeThreshold(threshold, signal, other)).toEqual(verdict);
      const told = verdict.tell ? verdict.with.map(({ outcomeId }) => outcomeId) : [];
      expect(told.filter((id) => verdict.drop.includes(id))).toEqual([]);
      expect([...told, ...verdict.drop]).not.toContain(signal.outcomeId);
      // Whatever is told settles every failure that was held.
      expect(verdict.tell ? told.length + verdict.drop.length : one.length - 1).toBe(one.length - 1);
    }),
    { numRuns: 1_000 },
  );
});
