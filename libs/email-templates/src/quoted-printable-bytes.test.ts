import { describe, expect, test } from 'vitest';
import { quotedPrintableBytes } from './quoted-printable-bytes.ts';

describe('the size in quoted-printable', () => {
  test.each([
    ['', 0],
    ['abc', 3],
    ['a=b', 5],
    ['é', 6],
    ['語', 9],
    ['a\nb', 4],
    ['a \nb', 7],
    ['a ', 4],
    ['\u0000', 3],
    ['x'.repeat(76), 76],
    [`${'x'.repeat(76)}\n${'x'.repeat(76)}`, 154],
  ])('of %j is %d bytes', (text, bytes) => {
    expect(quotedPrintableBytes(text)).toBe(bytes);
  });

  test('counts the breaks of long lines', () => {
    expect(quotedPrintableBytes('x'.repeat(750))).toBeGreaterThanOrEqual(750 + 3 * 10);
  });
});
