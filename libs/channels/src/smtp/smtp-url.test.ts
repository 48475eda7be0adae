import { describe, expect, test } from 'vitest';
import { parseSmtpUrl } from './smtp-url.ts';

describe('an SMTP URL', () => {
  test.each([
    ['smtp://mail.example.com', { port: 587, secure: false, requireTls: false, verifyCertificate: false, auth: null }],
    [
      'smtp://u:p@mail.example.com',
      { port: 587, requireTls: true, verifyCertificate: true, auth: { user: 'u', pass: 'p' } },
    ],
    ['smtp://u:p@mailpit:1025', { host: 'mailpit', port: 1025, requireTls: true }],
    ['smtp://u:p@mailpit:1025?requireTLS=false', { requireTls: false, verifyCertificate: false }],
    ['smtp://u:p@relay?tls.rejectUnauthorized=false', { requireTls: true, verifyCertificate: false }],
    ['smtp://relay?requireTLS=true', { requireTls: true, verifyCertificate: true }],
    ['smtp://u:p@127.0.0.1:2525', { requireTls: false }],
    ['smtp://u:p@localhost:2525', { requireTls: false }],
    ['smtp://u:p@[::1]:2525', { host: '::1', requireTls: false }],
    [
      'smtps://u:p%40ss%2F%25@mail.example.com',
      { port: 465, secure: true, requireTls: false, verifyCertificate: true, auth: { user: 'u', pass: 'p@ss/%' } },
    ],
    ['smtps://u:100%@mail.example.com', { auth: { user: 'u', pass: '100%' } }],
  ])('%s', (url, expected) => {
    expect(parseSmtpUrl(url)).toMatchObject(expected);
  });

  test.each(['', 'mail.example.com', 'smtp://', 'https://mail.example.com'])('is not %s', (url) => {
    expect(() => parseSmtpUrl(url)).toThrow(/Write smtp:/);
  });
});
