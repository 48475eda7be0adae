import { describe, expect, it } from 'vitest';
import { asStoredJsonb, cleanText, toJsonb } from './jsonb.ts';

describe('cleanText', () => {
  it.each([
    { caption: 'NUL is dropped', text: 'a\u0000b', clean: 'ab' },
    { caption: 'a high surrogate alone is replaced', text: 'a\ud800b', clean: 'a\ufffdb' },
    { caption: 'a low surrogate alone is replaced', text: '\udc00', clean: '\ufffd' },
    {
      caption: 'NUL between surrogates does not make a pair impossible',
      text: '\ud83d\u0000\ude80',
      clean: '\ud83d\ude80',
    },
    { caption: 'a pair is kept', text: '\ud83d\ude80', clean: '\ud83d\ude80' },
    { caption: 'other control characters are kept', text: '\u0001\t\n\u007f', clean: '\u0001\t\n\u007f' },
    { caption: 'an escape spelled out is kept', text: '\\u0000', clean: '\\u0000' },
  ])('$caption', ({ text, clean }) => {
    expect(cleanText(text)).toBe(clean);
    expect(JSON.parse(toJsonb(text))).toBe(clean);
  });
});

describe('toJsonb', () => {
  it('cleans strings at any depth, and keys', () => {
    const value = { 'k\u0000ey': [{ text: '\ud800' }, 'x\u0000'], at: new Date(0), n: 1, gone: undefined };
    expect(JSON.parse(toJsonb(value))).toEqual({
      key: [{ text: '\ufffd' }, 'x'],
      at: '1970-01-01T00:00:00.000Z',
      n: 1,
    });
  });

  it('writes undefined as null', () => {
    expect(toJsonb(undefined)).toBe('null');
  });

  it('keeps a key that is the name of the prototype', () => {
    const value: unknown = JSON.parse('{"__proto__": "a\\u0000", "b": 1}');
    expect(toJsonb(value)).toBe('{"__proto__":"a","b":1}');
  });
});

describe('asStoredJsonb', () => {
  it('orders keys as jsonb does, shorter ones first, then by bytes', () => {
    const value = { bb: { z: 1, a: 2 }, c: [{ y: 1, x: 2 }], é: 3, aa: 4 };
    expect(JSON.stringify(asStoredJsonb(value))).toBe('{"c":[{"x":2,"y":1}],"aa":4,"bb":{"a":2,"z":1},"é":3}');
  });
});
