import { certificatePath, startTlsServer } from '@tocsin/testing';
import { afterEach, expect, test, vi } from 'vitest';
import { type Listener, listen } from './listen.ts';
import { createPool } from './pool.ts';

const server = await startTlsServer();

function verified(authority: 'authority.pem' | 'stranger.pem'): string {
  const url = new URL(server.connectionString);
  url.searchParams.set('sslmode', 'verify-full');
  url.searchParams.set('sslrootcert', certificatePath(authority));
  return url.href;
}

let listener: Listener | undefined;
afterEach(() => listener?.stop());

const waiting = { timeout: 20_000, interval: 10 };

test('listens over a verified TLS connection', async () => {
  const heard: string[] = [];
  const problems: Error[] = [];
  listener = listen({
    connectionString: verified('authority.pem'),
    channel: 'tocsin_hint',
    applicationName: 'tls listener',
    onNotify: (payload) => heard.push(payload),
    onProblem: (error) => problems.push(error),
  });
  const pool = createPool({
    connectionString: verified('authority.pem'),
    max: 1,
    applicationName: 'test',
    onError: () => {},
  });
  try {
    await vi.waitUntil(async () => {
      await pool.query(`select pg_notify('tocsin_hint', 'x')`);
      return heard.length > 0;
    }, waiting);
    expect(heard[0]).toBe('x');
    expect(problems).toEqual([]);
  } finally {
    await pool.end();
  }
});

test('does not listen to a server whose certificate nobody vouches for, and says why', async () => {
  const problems: Error[] = [];
  listener = listen({
    connectionString: verified('stranger.pem'),
    channel: 'tocsin_hint',
    applicationName: 'tls listener',
    onNotify: () => expect.unreachable(),
    onProblem: (error) => problems.push(error),
  });
  await vi.waitUntil(() => problems.length > 0, waiting);
  expect(String(problems[0])).toMatch(/certificate|verify/i);
});
