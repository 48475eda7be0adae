import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { signatureCharsMax, signatureOf, signatureTemplate, signatureVersion } from './signature.ts';

const golden = JSON.parse(readFileSync(new URL('../fixtures/signatures-s1.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, string>
>;

/** Texts of one cause each. */
const sameCause: readonly (readonly [caption: string, ...texts: string[]])[] = [
  ['numbers', 'song 17 of 2000 has no title', 'song 3 of 1999 has no title'],
  ['decimals and signs', 'offset -1.5 out of range', 'offset 12,000.25 out of range'],
  ['uuids', 'job 0b9f1c2e-6a7b-4c8d-9e0f-112233445566 vanished', 'job FFFFFFFF-6a7b-4c8d-9e0f-000000000000 vanished'],
  ['hashes', 'object 9fceb02 is missing', 'object 9fceb02d0ae598e95dc970b74767f19372d61af8 is missing'],
  ['opaque ids', 'request req_8fKJ2mXq7Lp0Zt3A failed', 'request req_Zz91mQpL02vBnX77yTr failed'],
  ['ULIDs', 'event 01ARZ3NDEKTSV4RRFFQ69G5FAV lost', 'event 01BX5ZZKBKACTAV9WEVGEMMVRZ lost'],
  ['pointers', 'segfault at 0x7ffeefbff5c8', 'segfault at 0x10'],
  ['hosts', 'cannot reach db-1.prod.internal:5432', 'cannot reach replica-22.staging.example:6432'],
  ['IPv4 addresses', 'refused by 10.0.0.1:443', 'refused by 192.168.17.4'],
  ['IPv6 addresses', 'refused by 2001:db8::1', 'refused by fe80:0:0:0:0:0:0:12'],
  ['URLs', 'GET https://a.example/v1/songs?page=2 failed', 'GET http://b.example/ failed'],
  ['mail addresses', 'cannot notify ann@example.org', 'cannot notify bob.b+x@mail.example.com'],
  ['dates', 'no report for 2026-03-02', 'no report for 2025-12-31T23:59:59.123456Z'],
  ['dates in words', 'expired Mon, 2 Mar 2026 03:04:05 GMT', 'expired Tue, 30 Dec 2025 13:14:15 UTC'],
  ['times', 'window closed at 03:04', 'window closed at 23:59:59.5'],
  ['durations', 'timed out after 30s', 'timed out after 1500 ms'],
  ['paths', 'cannot open /var/lib/app/a.json', 'cannot open /srv/data/2026/b.json'],
  ['quoted values', 'KeyError: "title"', 'KeyError: "artist"'],
  ['values in single quotes beside an apostrophe', "can't find song 'Hey Jude' today", "can't find song 'Help' today"],
  ['white space and case', 'Upstream  FAILED\n', 'upstream failed'],
  [
    'stack traces',
    'TypeError: x is not a function\n    at a (/app/a.js:1:2)',
    'TypeError: x is not a function\n    at b (/app/b.js:3:4)\n    at c',
  ],
  [
    'Python tracebacks',
    'Traceback (most recent call last):\n  File "/app/a.py", line 3, in run\n    go()\nValueError: no songs',
    'Traceback (most recent call last):\n  File "/app/b.py", line 99, in main\n    run()\nValueError: no songs',
  ],
  [
    'an early identifier of another length in a long text',
    `${'7'.repeat(3)} ${'word '.repeat(200)}`,
    `${'7'.repeat(30)} ${'word '.repeat(200)}`,
  ],
];

const differentCauses: readonly string[] = [
  'HTTP 503 from the source',
  'HTTP 401 from the source',
  'exit code 1',
  'exit code 137',
  'connection refused',
  'connection reset by peer',
  'KeyError: "title"',
  'ValueError: "title"',
  'deadlock detected',
  'out of memory',
  'no space left on device',
  "can't parse the answer",
  "can't find the answer",
  'oauth2_token_expired',
  'oauth2_token_missing',
];

describe('signatureOf', () => {
  test.for(sameCause)('is equal for other %s', ([, first, ...others]) => {
    for (const other of others) expect(signatureTemplate(other)).toBe(signatureTemplate(first as string));
  });

  test('differs for different causes', () => {
    expect(new Set(differentCauses.map(signatureOf)).size).toBe(differentCauses.length);
  });

  test('tells a missing text apart from every text', () => {
    expect(signatureOf(null)).not.toBe(signatureOf(''));
    expect(signatureTemplate(null)).toBe('<no error text>');
  });

  test('is the version and eleven base-36 digits, for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 3_000 }), (text) => {
        expect(signatureOf(text)).toMatch(/^s1:[0-9a-z]{11}$/);
        expect(signatureTemplate(text).length).toBeLessThanOrEqual(signatureCharsMax);
      }),
    );
  });

  test('is equal for any numbers in the same sentence', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (a, b) => {
        expect(signatureOf(`row ${a} of batch ${b} is broken`)).toBe(signatureOf('row 1 of batch 2 is broken'));
      }),
    );
  });

  test('never changes what version s1 has ever made of a text', () => {
    expect(signatureVersion).toBe('s1');
    const texts = [...sameCause.map(([, text]) => text as string), ...differentCauses];
    expect(Object.fromEntries(texts.map((text) => [text, signatureOf(text)]))).toEqual(golden);
  });

  test.for([
    'a',
    'a.',
    '1.',
    '1:',
    'ab:',
    '/a',
    '"',
    "'",
    'a@',
    'a-',
    '0x',
    'f',
    '<',
    'mon, 1 ',
    'http://',
    '\n',
    '\nTraceback ',
  ])('comes to an end soon on a text made to slow patterns down: %j', (part) => {
    expect(signatureOf(part.repeat(20_000))).toMatch(/^s1:/);
  });
});
