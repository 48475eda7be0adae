import { startSmtpDouble } from '@tocsin/testing';
import type { SmtpDouble, SmtpDoubleOptions } from '@tocsin/testing';
import { afterEach, describe, expect, test } from 'vitest';
import type { ChannelCheck } from '../channel.ts';
import { createChannel } from '../create-channel.ts';
import { recordingLog } from '../sample-outgoing.contract.ts';

const doubles: SmtpDouble[] = [];
afterEach(async () => {
  for (const double of doubles.splice(0)) await double.stop();
});

const started = async (options: SmtpDoubleOptions = {}): Promise<SmtpDouble> => {
  const double = await startSmtpDouble(options);
  doubles.push(double);
  return double;
};

const check = async (url: string, timeoutMs = 5_000): Promise<ChannelCheck | undefined> =>
  createChannel(
    'mail',
    { type: 'smtp', url, to: ['ada@example.com'], from: 'tocsin@example.com' },
    { log: recordingLog() },
  ).check?.({ signal: new AbortController().signal, timeoutMs });

describe('the check of an SMTP server', () => {
  const login = { user: 'tocsin', password: 'a password for tests' };

  test('logs in and sends nothing', async () => {
    const double = await started({ login });
    expect(await check(double.url)).toEqual({
      ok: true,
      detail: `127.0.0.1:${double.port} answers and takes the login.`,
    });
    expect(double.messages()).toHaveLength(0);
  });

  test('does not claim a login where there is none', async () => {
    const result = await check((await started()).url);
    expect(result).toMatchObject({ ok: true, detail: expect.stringContaining('not asked for a login') as string });
  });

  test('fails for a wrong password without showing it', async () => {
    const double = await started({ login });
    const result = await check(double.url.replace('a%20password', 'another%20password'));
    expect(result).toMatchObject({ ok: false, detail: expect.stringContaining('535') as string });
    expect(result?.detail).not.toContain('password for tests');
  });

  test('fails where nobody listens, and where nobody speaks', async () => {
    const double = await started();
    double.next({ kind: 'hang-at-greeting' });
    expect(await check(double.url, 300)).toMatchObject({ ok: false });
    const { url } = double;
    await doubles.pop()?.stop();
    expect(await check(url)).toMatchObject({ ok: false, detail: expect.stringContaining('ECONNREFUSED') as string });
  });
});
