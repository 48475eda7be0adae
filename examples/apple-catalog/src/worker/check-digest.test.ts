import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { checkDigest } from './download-catalogue.ts';

const url = 'http://127.0.0.1/catalogue/songs.json';
const bytes = Buffer.from('{"target":"songs"}');
const digest = createHash('sha256').update(bytes).digest('base64');

test('accepts the bytes that the header announces, also among other digests', () => {
  expect(() => checkDigest(url, bytes, `sha-512=:AAAA:, sha-256=:${digest}:`)).not.toThrow();
});

test('accepts a source that announces nothing', () => {
  expect(() => checkDigest(url, bytes, null)).not.toThrow();
});

test('refuses other bytes than announced and names both digests', () => {
  expect(() => checkDigest(url, bytes.subarray(1), `sha-256=:${digest}:`)).toThrow(
    `checksum of ${url} does not match: announced sha-256 ${digest}, received `,
  );
});
