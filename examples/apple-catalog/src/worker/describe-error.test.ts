import { expect, test } from 'vitest';
import { describeError } from './record-failure.ts';

test('gives the message, its causes and the first stack frames, each on a line', () => {
  const error = new TypeError('no answer', { cause: new Error('connect ECONNREFUSED') });
  const lines = describeError(error).split('\n');
  expect(lines.slice(0, 2)).toEqual(['TypeError: no answer', 'caused by Error: connect ECONNREFUSED']);
  expect(lines.slice(2).length).toBeGreaterThan(0);
  expect(lines.slice(2).every((line) => line.startsWith('    at '))).toBe(true);
});

test('cuts a message that would not fit an error column', () => {
  expect(describeError(new Error('x'.repeat(100_000))).length).toBe(4000);
});
