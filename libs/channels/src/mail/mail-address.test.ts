import { describe, expect, test } from 'vitest';
import { distinctAddresses, mailDomain, parseMailAddress } from './mail-address.ts';

describe('a mail address', () => {
  test.each([
    ['ada@example.com', { name: '', address: 'ada@example.com' }],
    ['Ada <ada@example.com>', { name: 'Ada', address: 'ada@example.com' }],
    ['"Lovelace, Ada; Countess" <ada@example.com>', { name: 'Lovelace Ada Countess', address: 'ada@example.com' }],
    ['Ada\r\nBcc: eve@example.com <ada@example.com>', { name: 'Ada Bcc: eve@example.com', address: 'ada@example.com' }],
  ])('is read from %j', (text, expected) => {
    expect(parseMailAddress(text)).toEqual(expected);
  });

  test('named twice is kept once, as first written', () => {
    expect(distinctAddresses(['Ada <ada@example.com>', 'b@example.com', 'ADA@example.com'])).toEqual([
      { name: 'Ada', address: 'ada@example.com' },
      { name: '', address: 'b@example.com' },
    ]);
  });

  test('gives its domain in ASCII', () => {
    expect(mailDomain({ name: '', address: 'a@münchen.example' })).toBe('xn--mnchen-3ya.example');
    expect(mailDomain({ name: '', address: 'a@' })).toBe('localhost');
  });
});
