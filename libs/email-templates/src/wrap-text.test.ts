import { describe, expect, test } from 'vitest';
import { wrapText } from './wrap-text.ts';

describe('wrapped text', () => {
  test('fits the columns and indents what follows', () => {
    expect(wrapText('one two three four', { columns: 10, first: '- ', indent: '  ' })).toEqual([
      '- one two',
      '  three',
      '  four',
    ]);
  });

  test('keeps a long link in one piece', () => {
    const link = `https://example.com/${'x'.repeat(40)}`;
    expect(wrapText(`see ${link} now`, { columns: 20 })).toEqual(['see', link, 'now']);
  });

  test('breaks long words where asked to, but never inside a character', () => {
    expect(wrapText('😀😀😀', { columns: 5, indent: ' ', breakWords: true })).toEqual([' 😀😀', ' 😀']);
  });

  test('keeps the indentation of the text itself', () => {
    expect(wrapText('    return x', { columns: 20, first: '| ', indent: '| ' })).toEqual(['|     return x']);
  });

  test('gives one line for an empty text', () => {
    expect(wrapText('', { columns: 10 })).toEqual(['']);
  });
});
