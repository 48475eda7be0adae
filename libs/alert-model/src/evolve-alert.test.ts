import { describe, expect, test } from 'vitest';
import { at, failure, fails, follows, given, jobsPolicy, opened } from '../fixtures/builders.ts';
import { causesMax, owedMax, samplesPerCauseMax } from './alert-state.ts';
import type { AlertState } from './alert-state.ts';
import type { AlertEvent } from './event.ts';
import { evolveAlert } from './evolve-alert.ts';

const grouped = { ...jobsPolicy, rules: [{ name: 'r', match: {}, groupBy: ['source', 'jobType'] as const }] };

describe('a storm in one alert', () => {
  test('counts causes one by one up to a bound, and the rest together', () => {
    let state = given(opened(failure({ error: 'cause a' })));
    for (let index = 1; index < causesMax + 5; index += 1)
      state = follows(
        state,
        fails(state, failure({ error: `cause ${'abcdefghijklmnopqrstuvwxyz'[index]}` })),
        'FailureDetected',
      );
    expect(state.causes).toHaveLength(causesMax);
    expect(state).toMatchObject({
      occurrences: causesMax + 5,
      otherCauses: 5,
      pending: { default: { failures: causesMax + 5, otherCauses: 5 } },
    });
    expect(state.causes.reduce((sum, cause) => sum + cause.count, state.otherCauses)).toBe(state.occurrences);
  });

  test('remembers the newest samples of a cause, by their version', () => {
    let state = given(opened());
    for (let index = 0; index < 20; index += 1) state = follows(state, fails(state, failure()), 'FailureDetected');
    expect(state.causes).toEqual([
      {
        signature: state.causes[0]?.signature,
        count: 21,
        samples: Array.from({ length: samplesPerCauseMax }, (_, index) => 14 + index),
        firstAt: at(182),
        lastAt: at(182),
      },
    ]);
  });

  test('follows so many targets one by one, counts the others, and folds 20,000 of them without ado', () => {
    const [first] = fails(null, failure(), grouped).events as readonly [AlertEvent];
    if (first.type !== 'FailureDetected') throw new Error('A failure was expected.');
    let state: AlertState = evolveAlert(null, first);
    for (let index = 1; index < 20_000; index += 1)
      state = evolveAlert(state, { ...first, data: { ...first.data, targetId: `song-${index}`, opening: null } });
    expect(Object.keys(state.owed)).toHaveLength(owedMax);
    expect(state).toMatchObject({ occurrences: 20_000, owedUntracked: 20_000 - owedMax, lastFailedAt: at(182) });
  });
});
