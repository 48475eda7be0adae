import { describe, expect, test } from 'vitest';
import { addressDomain, emailAddressProblem, splitAddresses } from './email-address.ts';

describe('emailAddressProblem', () => {
  test.each([
    'ada@example.com',
    'ada+tocsin@sub.example.co.uk',
    'root@localhost',
    'Ada Lovelace <ada@example.com>',
    '<ada@example.com>',
  ])('accepts %j', (address) => {
    expect(emailAddressProblem(address)).toBeUndefined();
  });

  test.each([
    ['ada', 'not an e-mail address'],
    ['ada@', 'not an e-mail address'],
    ['@example.com', 'not an e-mail address'],
    ['ada@exa mple.com', 'not an e-mail address'],
    ['ada@-example.com', 'not an e-mail address'],
    ['ada@example.com, eve@example.com', 'not an e-mail address'],
    ['Ada <ada@example.com> <eve@example.com>', 'not an e-mail address'],
    ['"Ada" <ada@example.com', 'not an e-mail address'],
    ['A\u0000da <ada@example.com>', 'not an e-mail address'],
    ['Ada\r\nBcc: eve@example.com <ada@example.com>', 'must not contain a line break'],
    ['ada@example.com\n', 'must not contain a line break'],
    [`${'a'.repeat(250)}@example.com`, 'at most 254 characters'],
  ])('refuses %j', (address, problem) => {
    expect(emailAddressProblem(address)).toContain(problem);
  });
});

test('a list is split at commas, blanks and empty entries are dropped, line breaks stay to be refused', () => {
  expect(splitAddresses(' ada@example.com ,, eve@example.com\n,')).toEqual(['ada@example.com', 'eve@example.com\n']);
});

test('the domain is what stands after the @, with or without a display name', () => {
  expect([addressDomain('ada@example.com'), addressDomain('Ada <ada@example.org>')]).toEqual([
    'example.com',
    'example.org',
  ]);
});
