import { expect, test } from 'vitest';
import { statOf } from './processor-time.ts';

test('processor time is read past a process name that looks like more fields', () => {
  const status = '4711 (a ) R 1 (b) S 42 4711 4711 0 -1 4194560 100 200 0 0 150 50 7 3 20 0 1 0 12345 1000 10';
  expect(statOf(status)).toEqual({ parent: 42, processorMs: 2_000, endedChildrenMs: 100 });
});
