import { expect, test } from 'vitest';
import type { Channel } from './channel.ts';
import { rejectWithoutLibrary } from './missing-library.ts';
import { sampleOutgoing } from './sample-outgoing.contract.ts';

const options = { signal: new AbortController().signal, timeoutMs: 5_000 };
const failingWith = (load: () => Promise<unknown>): Channel =>
  rejectWithoutLibrary({
    name: 'primary',
    type: 'smtp',
    recipients: ['ada@example.com'],
    send: async () => {
      await load();
      return { outcome: 'accepted', providerMessageId: null, status: null };
    },
    close: async () => {},
  });

test('an attempt without its library is rejected as misconfigured, with the name of what is missing', async () => {
  const absent = 'file:///nowhere/mail-library.js';
  const outcome = await failingWith(() => import(/* @vite-ignore */ absent)).send(sampleOutgoing(), options);
  expect(outcome).toMatchObject({ outcome: 'rejected', reason: 'misconfigured', status: null });
  expect(outcome).toHaveProperty('detail', expect.stringMatching(/smtp channel.*npm ci.*mail-library/));
});

test('any other exception is a bug and passes', async () => {
  const bug = new TypeError('x is not a function');
  await expect(failingWith(() => Promise.reject(bug)).send(sampleOutgoing(), options)).rejects.toBe(bug);
});

test('a check without its library says so', async () => {
  const absent = 'file:///nowhere/mail-library.js';
  const channel = rejectWithoutLibrary({
    ...failingWith(() => Promise.resolve()),
    check: async () => {
      await import(/* @vite-ignore */ absent);
      return { ok: true, detail: '' };
    },
  });
  expect(await channel.check?.(options)).toEqual({
    ok: false,
    detail: expect.stringMatching(/smtp channel.*npm ci.*mail-library/) as string,
  });
});
