import { startSendGridDouble } from '@tocsin/testing';
import type { SendGridBehaviour, SendGridDouble } from '@tocsin/testing';
import { afterEach, describe, expect, test } from 'vitest';
import type { ChannelCheck } from '../channel.ts';
import { createChannel } from '../create-channel.ts';
import { recordingLog } from '../sample-outgoing.contract.ts';

const doubles: SendGridDouble[] = [];
afterEach(async () => {
  for (const double of doubles.splice(0)) await double.stop();
});

const started = async (...behaviours: readonly SendGridBehaviour[]): Promise<SendGridDouble> => {
  const double = await startSendGridDouble({ apiKey: 'SG.right.key-for-tests' });
  doubles.push(double);
  double.next(...behaviours);
  return double;
};

const check = async (
  double: SendGridDouble,
  { apiKey = double.apiKey, to = ['ada@example.com'] }: { readonly apiKey?: string; readonly to?: string[] } = {},
  timeoutMs = 5_000,
): Promise<ChannelCheck | undefined> =>
  createChannel(
    'mail',
    { type: 'sendgrid', to, from: 'Tocsin <alerts@tocsin.example>', apiKey, baseUrl: double.baseUrl },
    { log: recordingLog() },
  ).check?.({ signal: new AbortController().signal, timeoutMs });

describe('the check of SendGrid', () => {
  test('has the settings looked at, and tells nobody', async () => {
    const double = await started();
    expect(await check(double)).toMatchObject({ ok: true });
    expect(double.requests()).toHaveLength(1);
    expect(double.messages()).toHaveLength(0);
  });

  test('says that a mail may arrive when SendGrid does not keep to its sandbox', async () => {
    const double = await started({ kind: 'status', status: 202, body: '' });
    expect(await check(double)).toEqual({ ok: true, detail: expect.stringContaining('202 instead of 200') as string });
  });

  test('fails for a wrong key without showing it', async () => {
    const result = await check(await started(), { apiKey: 'SG.wrong.key-for-tests' });
    expect(result).toMatchObject({ ok: false, detail: expect.stringContaining('401') as string });
    expect(result?.detail).not.toContain('key-for-tests');
  });

  test('fails for an address that is none', async () => {
    const result = await check(await started(), { to: ['ada@'] });
    expect(result).toMatchObject({ ok: false, detail: expect.stringContaining('valid address') as string });
  });

  test('fails where nothing answers', async () => {
    const result = await check(await started({ kind: 'hang' }), {}, 300);
    expect(result).toEqual({ ok: false, detail: 'No answer in time.' });
  });
});
