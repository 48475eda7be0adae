import { expect, test } from 'vitest';
import { printable } from './narrator.ts';

test('keeps lines and takes out what could steer a terminal', () => {
  expect(printable('one\r\ntwo\u001b[2J\u0007\u202e three')).toBe('one\ntwo[2J three');
});
