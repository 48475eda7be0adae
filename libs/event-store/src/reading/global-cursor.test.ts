import { expect, it } from 'vitest';
import { formatGlobalCursor, parseGlobalCursor } from './global-cursor.ts';

it('reads back the cursor it writes, also beyond what a number holds', () => {
  for (const cursor of [
    { transactionId: '0', position: 0 },
    { transactionId: '18446744073709551615', position: 10093 },
  ])
    expect(parseGlobalCursor(formatGlobalCursor(cursor))).toEqual(cursor);
});

it.each(['', '7421', '7421:', ':5', '-1:5', '1:5 ', '01:5', '1:9999999999999999', '18446744073709551616:1'])(
  'refuses %j',
  (text) => {
    expect(() => parseGlobalCursor(text)).toThrow('no place in the log');
  },
);
