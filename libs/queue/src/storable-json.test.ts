import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { storableJson } from './storable-json.ts';

describe('storableJson', () => {
  it('returns what Postgres can store untouched', () => {
    const value = { text: 'déjà vu 🙂 \\u0000 C:\\users', list: [1, null, true] };
    expect(storableJson(value).value).toBe(value);
  });

  it.each([
    { caption: 'U+0000', text: 'a\u0000b', stored: 'a\ufffdb' },
    { caption: 'a high surrogate at the end', text: 'a\ud83d', stored: 'a\ufffd' },
    { caption: 'a low surrogate at the start', text: '\ude42a', stored: '\ufffda' },
    { caption: 'U+0000 after a backslash', text: '\\\u0000', stored: '\\\ufffd' },
    { caption: 'two in a row', text: '\u0000\u0000', stored: '\ufffd\ufffd' },
  ])('replaces $caption', ({ text, stored }) => {
    expect(storableJson({ text }).value).toEqual({ text: stored });
  });

  it('leaves no character behind that Postgres refuses, and changes no other', () => {
    const anything = fc.string({
      unit: fc.oneof(fc.constantFrom('\u0000', '\ud83d', '\ude42', '\\', 'u0000', '"'), fc.string()),
    });
    fc.assert(
      fc.property(anything, (text) => {
        const { value } = storableJson([text]) as { value: [string] };
        expect(value[0]).toBe(text.toWellFormed().replaceAll('\u0000', '\ufffd'));
      }),
    );
  });
});
