import { describe, expect, test } from 'vitest';
import { escalationStep } from './escalation.ts';
import type { FrozenEscalation, Severity } from './policy.ts';

const minutes = (count: number): number => count * 60_000;
const ladder: FrozenEscalation = {
  name: 'nights',
  levels: [
    { afterMs: minutes(10), channels: ['second'], severities: null },
    { afterMs: minutes(20), channels: ['phone'], severities: ['critical'] },
    { afterMs: minutes(30), channels: ['boss', 'second'], severities: ['error', 'critical'] },
  ],
  repeat: { everyMs: minutes(60), times: 2 },
};

describe('escalationStep', () => {
  test.for<
    readonly [
      caption: string,
      step: number,
      severity: Severity,
      found: readonly [number, number, number, string] | null,
    ]
  >([
    ['the first level is the first step', 1, 'error', [1, 0, 10, 'second']],
    ['a level that is not for the severity is skipped', 2, 'error', [3, 0, 30, 'boss second']],
    ['and is not where it is', 2, 'critical', [2, 0, 20, 'phone']],
    ['after the last level everybody is told again', 4, 'critical', [4, 1, 90, 'second phone boss']],
    ['but nobody whose level is not for the severity', 4, 'error', [4, 1, 90, 'second boss']],
    ['also where the last levels are skipped', 2, 'warning', [4, 1, 90, 'second']],
    ['as often as it says', 5, 'critical', [5, 2, 150, 'second phone boss']],
    ['and no more', 6, 'critical', null],
    ['steps begin at one', 0, 'error', [1, 0, 10, 'second']],
  ])('%s', ([, step, severity, found]) => {
    const answer = escalationStep(ladder, step, severity);
    expect(answer && [answer.step, answer.repeat, answer.afterMs / minutes(1), answer.channels.join(' ')]).toEqual(
      found,
    );
  });

  test('without repetitions the last level is the end', () => {
    expect(escalationStep({ ...ladder, repeat: null }, 4, 'critical')).toBeNull();
    expect(escalationStep({ ...ladder, repeat: null }, 2, 'warning')).toBeNull();
  });

  test('a ladder that has nobody for a severity has no step for it, however often it repeats', () => {
    const [, phone] = ladder.levels;
    expect(escalationStep({ ...ladder, levels: phone === undefined ? [] : [phone] }, 1, 'error')).toBeNull();
  });
});
