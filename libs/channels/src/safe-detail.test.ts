import { describe, expect, test } from 'vitest';
import { errorDetail, safeDetail } from './safe-detail.ts';

describe('details of an outcome', () => {
  test.each([
    ['as it is', 'key p@ss/word.1 refused'],
    ['percent-encoded', `key ${encodeURIComponent('p@ss/word.1')} refused`],
    ['in base64', `key ${Buffer.from('p@ss/word.1').toString('base64')} refused`],
    ['split by control characters', 'key p@ss\u200b/word.1 refused'],
  ])('hide a secret %s', (_caption, text) => {
    expect(safeDetail(text, ['p@ss/word.1'])).toBe('key *** refused');
  });

  test('hide keys, credentials and user parts that are not ours', () => {
    expect(safeDetail('SG.abcdefgh.ijkl Bearer abc.def== basic dXNlcg== https://u:p@host/x', [])).toBe(
      '*** *** *** https://***host/x',
    );
  });

  test('are one line of at most 500 characters, and a secret on the edge is hidden whole', () => {
    const detail = safeDetail(`${'x'.repeat(495)}topsecret\r\n${'y'.repeat(10_000_000)}`, ['topsecret']);
    expect(detail.length).toBeLessThanOrEqual(500);
    expect(detail).not.toMatch(/tops|\n/);
  });

  test('name the code of an error, also when it comes without a message', () => {
    expect(errorDetail(Object.assign(new Error('connect failed'), { code: 'ECONNREFUSED' }), [])).toBe(
      'ECONNREFUSED: connect failed',
    );
    expect(errorDetail(new AggregateError([new Error('one'), new Error('two')], ''), [])).toBe(
      'Error: one; Error: two',
    );
    expect(errorDetail('text', [])).toBe('text');
  });
});
