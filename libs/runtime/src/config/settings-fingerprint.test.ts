import { expect, test } from 'vitest';
import type { ChannelConfig } from './config.ts';
import { settingsFingerprint } from './settings-fingerprint.ts';

const smtp: ChannelConfig = { type: 'smtp', to: ['a@b.c', 'd@e.f'], from: 'g@h.i', url: 'smtp://host' };

test('is a SHA-256 in hexadecimal, the same for the same settings in any order', () => {
  expect(settingsFingerprint(smtp)).toMatch(/^[0-9a-f]{64}$/);
  const { type, to, from, url } = smtp;
  expect(settingsFingerprint({ url, from, to, type })).toBe(settingsFingerprint(smtp));
});

test('changes with any setting that decides where a message goes', () => {
  const others: readonly ChannelConfig[] = [
    smtp,
    { ...smtp, to: ['d@e.f', 'a@b.c'] },
    { ...smtp, from: 'x@h.i' },
    { ...smtp, url: 'smtp://other' },
    { type: 'console' },
    { type: 'outbox', directory: '/a' },
    { type: 'outbox', directory: '/b' },
  ];
  expect(new Set(others.map(settingsFingerprint)).size).toBe(others.length);
});

test('does not change with how much the channel may send', () => {
  expect(settingsFingerprint({ ...smtp, rateLimit: { everyMs: 1_000, burst: 1 } })).toBe(settingsFingerprint(smtp));
});
