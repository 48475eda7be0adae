import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { pingDeadman } from './ping-deadman.ts';

const go = new AbortController().signal;

test('takes 2xx for an answer and nothing else, and follows no redirect', async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
    const status = Number(request.url?.slice(1));
    response.writeHead(status, status === 302 ? { location: '/200' } : {}).end('ok');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ping = (path: string) => pingDeadman((url, options) => fetch(url, options), `${base}${path}`, go);
  expect(await ping('/200')).toBeNull();
  expect(await ping('/204')).toBeNull();
  expect(await ping('/302')).toBe('it answered 302');
  expect(await ping('/404')).toBe('it answered 404');
  expect(asked).toEqual(['GET /200', 'GET /204', 'GET /302', 'GET /404']);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  expect(await ping('/200')).toMatch(/^it could not be reached \([A-Z_]+\)$/);
});

test('does not say the address, which is a secret, and never throws', async () => {
  const refuse = (error: unknown) => pingDeadman(async () => Promise.reject(error), 'http://127.0.0.1/secret', go);
  expect(await refuse(new Error('failed to fetch http://127.0.0.1/secret'))).toBe('it could not be reached');
  expect(await refuse('nonsense')).toBe('it could not be reached');
  expect(await refuse(Object.assign(new Error('late'), { name: 'TimeoutError' }))).toBe(
    'it gave no answer within 10 s',
  );
});

test('ends when the process stops', async () => {
  const stop = new AbortController();
  const hanging = pingDeadman(
    (_url, { signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    'http://127.0.0.1/',
    stop.signal,
  );
  stop.abort();
  expect(await hanging).toBe('it could not be reached');
});
