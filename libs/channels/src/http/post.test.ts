import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { startHttpProviderDouble } from '@tocsin/testing';
import type { HttpProviderDouble, ProviderRequest } from '@tocsin/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { post } from './post.ts';

describe('a request to a provider', () => {
  const doubles: HttpProviderDouble<ProviderRequest>[] = [];
  const started = async (): Promise<HttpProviderDouble<ProviderRequest>> => {
    const double = await startHttpProviderDouble<ProviderRequest>({
      what: 'requests',
      receive: (request) => ({ answer: { status: 200, body: { ok: true } }, taken: request }),
      complaint: (message) => ({ message }),
    });
    doubles.push(double);
    return double;
  };
  afterEach(async () => {
    for (const double of doubles.splice(0)) await double.stop();
  });
  const signal = new AbortController().signal;
  const json = { 'Content-Type': 'application/json' };

  test('carries headers and the very bytes of its body, and gives status, headers and body of the answer', async () => {
    const double = await started();
    const body = ' {"a" : 1, "é": "\\u0041"}\n';
    const result = await post({
      url: double.baseUrl,
      headers: { ...json, 'X-Own': 'yes' },
      body,
      timeoutMs: 5_000,
      signal,
    });
    expect(result).toMatchObject({
      kind: 'answer',
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: '{"ok":true}',
    });
    const [request] = double.taken();
    expect(request?.text).toBe(body);
    expect(request?.headers).toMatchObject({
      'content-type': 'application/json',
      'x-own': 'yes',
      'user-agent': 'Tocsin',
      connection: 'close',
    });
  });

  test('reads at most 64 KB of an answer', async () => {
    const double = await started();
    double.next({ kind: 'huge-body', status: 400, bytes: 1_000_000 });
    const result = await post({ url: double.baseUrl, headers: json, body: '', timeoutMs: 5_000, signal });
    expect(result.kind === 'answer' ? result.body : '').toHaveLength(65_536);
  });

  test('waits for the rest of a slow answer only as long as it is told', async () => {
    const double = await started();
    double.always({ kind: 'accept-slowly', everyMs: 60 });
    const request = { url: double.baseUrl, headers: json, body: '', timeoutMs: 5_000, signal };
    expect(await post({ ...request, bodyWaitMs: 4_000 })).toMatchObject({ body: '{"ok":true}' });
    const short = await post({ ...request, bodyWaitMs: 200 });
    expect(short).toMatchObject({ kind: 'answer', status: 200 });
    expect(short.kind === 'answer' ? short.body : '').not.toBe('{"ok":true}');
  });

  test('goes where the given lookup says', async () => {
    const double = await started();
    const { port } = new URL(double.baseUrl);
    const asked: string[] = [];
    const result = await post({
      url: `http://nowhere.invalid:${port}/`,
      headers: json,
      body: '',
      timeoutMs: 5_000,
      signal,
      lookup: (hostname, options, callback) => {
        asked.push(hostname);
        if (options.all === true) callback(null, [{ address: '127.0.0.1', family: 4 }]);
        else callback(null, '127.0.0.1', 4);
      },
    });
    expect(result).toMatchObject({ kind: 'answer', status: 200 });
    expect(asked).toEqual(['nowhere.invalid']);
  });

  test('says how far it came when nothing answers', async () => {
    const server = createServer((socket) => {
      socket.once('data', () => socket.resetAndDestroy());
      socket.on('error', () => {});
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const request = { headers: json, body: 'x', timeoutMs: 5_000, signal };
    expect(await post({ ...request, url: `http://127.0.0.1:${port}/` })).toMatchObject({
      kind: 'silence',
      phase: 'connected',
      timedOut: false,
      stopped: false,
    });
    expect(await post({ ...request, url: `https://127.0.0.1:${port}/` })).toMatchObject({
      kind: 'silence',
      phase: 'securing',
    });
    await new Promise((resolve) => server.close(resolve));
    expect(await post({ ...request, url: `http://127.0.0.1:${port}/` })).toMatchObject({
      kind: 'silence',
      phase: 'unconnected',
    });
  });

  test('tells its own deadline from a stop', async () => {
    const double = await started();
    double.always({ kind: 'hang' });
    const request = { url: double.baseUrl, headers: json, body: 'x' };
    expect(await post({ ...request, timeoutMs: 300, signal })).toMatchObject({ timedOut: true, stopped: false });
    const stopping = new AbortController();
    const sending = post({ ...request, timeoutMs: 5_000, signal: stopping.signal });
    await double.waitForRequests(2, 5_000);
    stopping.abort();
    expect(await sending).toMatchObject({ phase: 'connected', timedOut: false, stopped: true });
  });
});
