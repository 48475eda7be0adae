import { describe, expect, test } from 'vitest';
import { canaryLateMs, judgeCanaries } from './watch-components.ts';

const arrived = (ageMs: number, tookMs = 800) => ({ ageMs, tookMs });
const missing = (ageMs: number) => ({ ageMs, tookMs: null });

describe('canaries', () => {
  test('say nothing before the first one', () => {
    expect(judgeCanaries([])).toEqual({ tookMs: null, problem: null });
  });

  test('are measured by the newest that arrived', () => {
    expect(judgeCanaries([arrived(10_000, 700), arrived(60_000, 900)])).toEqual({ tookMs: 700, problem: null });
  });

  test('on their way are no problem yet, whatever the one before says', () => {
    expect(judgeCanaries([missing(canaryLateMs - 1), arrived(3_600_000)])).toEqual({ tookMs: 800, problem: null });
    expect(judgeCanaries([missing(1_000)])).toEqual({ tookMs: null, problem: null });
    // A new one does not make the lost one before it good.
    expect(judgeCanaries([missing(1_000), missing(3_600_000)]).problem).not.toBeNull();
  });

  test('that are late are told with when the last one came', () => {
    const { problem } = judgeCanaries([missing(canaryLateMs), arrived(3_600_000)]);
    expect(problem?.error).toBe(
      'A failure that Tocsin made itself 2 min ago has not come through from the table to a message. The last one arrived 1 h ago.',
    );
  });
});
