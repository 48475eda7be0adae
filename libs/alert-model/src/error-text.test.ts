import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { causeLine, cleanText, shorten, shortenMiddle, toErrorText } from './error-text.ts';
import { errorCharsMax } from './signal.ts';

describe('cleanText', () => {
  test('removes terminal escapes, control, bidirectional and zero-width characters', () => {
    expect(cleanText('\u001b[31mred\u001b[0m \u202egnp.exe\u202c a\u200bb\u0000c\u0085d\ufeff')).toBe(
      'red gnp.exe abcd',
    );
  });

  test('keeps line feeds and tabs, and makes one line feed of a carriage return', () => {
    expect(cleanText('a\r\nb\rc\n\td')).toBe('a\nb\nc\n\td');
  });

  test('repairs lone surrogates', () => {
    expect(cleanText('a\ud800b')).toBe('a\ufffdb');
  });
});

describe('shorten', () => {
  test('leaves a text that fits', () => {
    expect(shorten('abc', 3)).toBe('abc');
  });

  test('says how many characters are missing, and stays within the bound', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 101, maxLength: 400, unit: 'grapheme' }), (text) => {
        const short = shorten(text, 100);
        expect(short.length).toBeLessThanOrEqual(100);
        expect(short.isWellFormed()).toBe(true);
        const [, kept = '', missing] = /^(.*) … \((\d+) more characters\)$/s.exec(short) ?? [];
        expect(text.startsWith(kept)).toBe(true);
        expect(kept.length + Number(missing)).toBe(text.length);
      }),
    );
  });
});

describe('toErrorText', () => {
  test.for([null, undefined, '', ' \n\t ', '\u200b'])('makes nothing of %j', (raw) => {
    expect(toErrorText(raw)).toBeNull();
  });

  test('cleans before it redacts, so that an invisible character cannot hide a secret', () => {
    expect(toErrorText('pass\u200bword=hunter2')).toBe('password=[redacted]');
  });

  test('stays within its bound for 20 MB of nonsense (34)', () => {
    expect(toErrorText('x'.repeat(20_000_000))?.length).toBe(errorCharsMax);
  });

  test('does it twice with the same result, for texts that fit', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 500, unit: 'binary' }), (raw) => {
        const once = toErrorText(raw);
        expect(toErrorText(once)).toBe(once);
      }),
    );
  });
});

const traceback = (depth: number): string =>
  `Traceback (most recent call last):\n${'  File "/app/worker.py", line 1, in run\n    step()\n'.repeat(depth)}ValueError: catalogue has no songs\n`;

describe('causeLine', () => {
  test('is the last line of a Python traceback, and the first of anything else', () => {
    expect(causeLine(traceback(3))).toBe('ValueError: catalogue has no songs');
    expect(causeLine('\nTypeError: x is not a function\n    at run (/app/a.js:1:2)')).toBe(
      'TypeError: x is not a function',
    );
    expect(causeLine('')).toBe('');
  });
});

describe('shortenMiddle', () => {
  test('keeps the cause of a traceback that is far too long', () => {
    const text = toErrorText(traceback(500)) ?? '';
    expect(text.length).toBeLessThanOrEqual(errorCharsMax);
    expect(text).toMatch(/^Traceback/);
    expect(causeLine(text)).toBe('ValueError: catalogue has no songs');
  });

  test('says exactly how much is missing, never exceeds its bound and splits no character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 400 }), fc.integer({ min: 60, max: 200 }), (text, max) => {
        const short = shortenMiddle(text.toWellFormed(), max);
        expect(short.length).toBeLessThanOrEqual(Math.max(max, Math.min(text.length, max)));
        expect(short.isWellFormed()).toBe(true);
        const missing = /… \((\d+) characters left out\) …/.exec(short)?.[1];
        const kept = short.replace(/\n… \(\d+ characters left out\) …\n/, '').length;
        expect(text.length > max ? kept + Number(missing) : kept).toBe(text.length);
      }),
    );
  });
});
