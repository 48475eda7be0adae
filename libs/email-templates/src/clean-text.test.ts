import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cleanBlock, cleanLine, cleanUrl, cut } from './clean-text.ts';

describe('clean text', () => {
  test.each([
    ['a header that wants to be added', 'x\r\nBcc: eve@example.com', 'x Bcc: eve@example.com'],
    ['colours of a terminal', '\u001b[31;1mred\u001b[0m', 'red'],
    ['a terminal link', '\u001b]8;;https://evil.example\u0007click\u001b]8;;\u0007', 'click'],
    ['a right-to-left override', 'invoice\u202egnp.exe', 'invoicegnp.exe'],
    ['zero-width characters', 'a\u200b\u200d\u2060b\ufeffc', 'abc'],
    ['NUL and DEL', 'a\u0000b\u007fc', 'a b c'],
    ['a next-line control', 'a\u0085b', 'a b'],
    ['half a surrogate pair', 'a\ud83db', 'a\ufffdb'],
    ['line separators', 'a\u2028b\u2029c', 'a b c'],
    ['invisible tag characters', 'a\u{e0041}b', 'ab'],
  ])('%s becomes one harmless line', (_caption, text, expected) => {
    expect(cleanLine(text, 100)).toBe(expected);
  });

  test('keeps the lines and the indentation of a block', () => {
    expect(cleanBlock('\n\nTraceback:\r\n\tFile "x"\r\n\r\n\r\n\r\nend  \n', 100)).toBe(
      'Traceback:\n  File "x"\n\nend',
    );
  });

  test('never cuts a character in half', () => {
    expect(cut('ab😀cd', 4)).toBe('ab…');
    expect(cut('abcd', 4)).toBe('abcd');
  });

  test('whatever comes in, one bounded line without controls comes out', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), fc.integer({ min: 1, max: 60 }), (text, max) => {
        const line = cleanLine(text, max);
        expect(line.length).toBeLessThanOrEqual(max);
        expect(line.isWellFormed()).toBe(true);
        expect(line).not.toMatch(/[\p{Cc}\u200b-\u200f\u202a-\u202e\u2060-\u2069\u2028\u2029]/u);
      }),
    );
  });

  test('twenty megabytes of escapes cost no more than what is shown', () => {
    const monster = Buffer.alloc(20_000_000, '\u001b]').toString('latin1');
    const started = performance.now();
    cleanBlock(monster, 400);
    expect(performance.now() - started).toBeLessThan(50);
  });

  test.each([
    ['javascript:alert(1)', null],
    ['data:text/html,x', null],
    ['/relative', null],
    [`https://example.com/${'x'.repeat(2_000)}`, null],
    ['https://example.com/a b"<\r\n>', 'https://example.com/a%20b%22%3C%3E'],
    [null, null],
  ])('the link %s becomes %s', (link, expected) => {
    expect(cleanUrl(link)).toBe(expected);
  });
});
