import { expect, test } from 'vitest';
import { howEnded } from './how-ended.ts';

const never = new AbortController().signal;
const timeOver = AbortSignal.abort(new DOMException('The operation timed out.', 'TimeoutError'));

test('time is over by the deadline of either side', () => {
  expect(howEnded(never, timeOver)).toEqual({ timedOut: true, stopped: false });
  expect(howEnded(AbortSignal.any([never, timeOver]), never).timedOut).toBe(true);
});

test('a caller that stops is no timeout', () => {
  expect(howEnded(AbortSignal.abort(), never)).toEqual({ timedOut: false, stopped: true });
  expect(howEnded(never, never)).toEqual({ timedOut: false, stopped: false });
});
