import { afterEach, describe, expect, test } from 'vitest';
import { startHttpProviderDouble } from './http-provider-double.ts';
import type { HttpProviderDouble } from './http-provider-double.ts';

describe('the double of a provider behind HTTP', () => {
  const doubles: HttpProviderDouble<string>[] = [];
  const started = async (): Promise<HttpProviderDouble<string>> => {
    const double = await startHttpProviderDouble<string>({
      what: 'words',
      receive: ({ text }) =>
        text === 'bad'
          ? { answer: { status: 422, body: 'no' }, taken: null }
          : { answer: { status: 201, body: { took: text } }, taken: text },
      complaint: (message) => ({ message }),
    });
    doubles.push(double);
    return double;
  };
  afterEach(async () => {
    for (const double of doubles.splice(0)) await double.stop();
  });
  const post = (double: HttpProviderDouble<string>, body: string, path = ''): Promise<Response> =>
    fetch(`${double.baseUrl}${path}`, { method: 'POST', body, redirect: 'manual' });

  test('takes what the provider takes and answers as it does', async () => {
    const double = await started();
    const response = await post(double, 'good');
    expect([response.status, await response.json()]).toEqual([201, { took: 'good' }]);
    expect((await post(double, 'bad')).status).toBe(422);
    expect(double.taken()).toEqual(['good']);
    expect(double.requests().map(({ status }) => status)).toEqual([201, 422]);
  });

  test('does not take what the provider would refuse, whatever the script says', async () => {
    const double = await started();
    double.next({ kind: 'accept-then-reset' }, { kind: 'accept-late', afterMs: 60_000 });
    expect((await post(double, 'bad')).status).toBe(422);
    expect((await post(double, 'bad')).status).toBe(422);
    expect(double.taken()).toEqual([]);
  });

  test('keeps behaviours of one path for that path', async () => {
    const double = await started();
    double.nextAt('/slow', { kind: 'status', status: 503 });
    double.next({ kind: 'status', status: 500 });
    expect((await post(double, 'a', 'other')).status).toBe(500);
    expect((await post(double, 'a', 'slow')).status).toBe(503);
    expect((await post(double, 'a', 'slow')).status).toBe(201);
  });

  test('repeats the whole request, with its headers, when told to', async () => {
    const double = await started();
    double.next({ kind: 'echo', status: 400 });
    const text = await (await post(double, 'the body', 'secret-path')).text();
    expect(text).toContain('POST /secret-path');
    expect(text).toContain('"user-agent"');
    expect(text).toContain('the body');
  });

  test('breaks off after the headers, having taken it or not', async () => {
    const double = await started();
    double.next({ kind: 'accept-headers-then-reset' }, { kind: 'headers-then-reset', status: 400 });
    for (const status of [201, 400]) {
      const response = await post(double, 'x');
      expect(response.status).toBe(status);
      await expect(response.text()).rejects.toThrow();
    }
    expect(double.taken()).toEqual(['x']);
  });

  test('answers byte by byte, with the headers first', async () => {
    const double = await started();
    double.next({ kind: 'accept-slowly', everyMs: 5 });
    const response = await post(double, 'x');
    expect(response.status).toBe(201);
    expect(await response.json()).toEqual({ took: 'x' });
  });
});
