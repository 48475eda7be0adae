import { createServer } from 'node:net';
import { startRestartableServer } from '@tocsin/testing';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { createPool } from './pool.ts';
import { type Listener, listen } from './listen.ts';

const server = await startRestartableServer();
const pool = createPool({
  connectionString: server.connectionString,
  max: 2,
  applicationName: 'listen test',
  onError: () => {},
});
beforeAll(() => () => pool.end());

const listeners: Listener[] = [];
afterEach(async () => {
  for (const listener of listeners.splice(0)) await listener.stop();
});

const waiting = { timeout: 30_000, interval: 10 };

/** A listener, once the server shows that it listens. */
async function listening(channel: string, onNotify: (payload: string) => void = () => {}) {
  const problems: Error[] = [];
  const applicationName = `listener of ${channel}`;
  const listener = listen({
    connectionString: server.connectionString,
    channel,
    applicationName,
    onNotify,
    onProblem: (error) => problems.push(error),
  });
  listeners.push(listener);
  await untilListening(applicationName);
  return { listener, problems, applicationName };
}

async function backends(applicationName: string): Promise<readonly number[]> {
  const { rows } = await pool.query<{ pid: number }>(
    `select pid from pg_stat_activity where application_name = $1 and query like 'listen %' and state = 'idle'`,
    [applicationName],
  );
  return rows.map(({ pid }) => pid);
}

const untilListening = (applicationName: string) =>
  vi.waitUntil(async () => (await backends(applicationName).catch(() => [])).length === 1, waiting);

const notify = (channel: string, payload: string) => pool.query('select pg_notify($1, $2)', [channel, payload]);

describe('listen', () => {
  test('tells every notification of its channel, and none of another', async () => {
    const heard: string[] = [];
    await listening('one "odd" Channel', (payload) => heard.push(payload));
    await notify('another', 'x');
    await notify('one "odd" Channel', 'a');
    await notify('one "odd" Channel', '');
    await vi.waitUntil(() => heard.length === 2, waiting);
    expect(heard).toEqual(['a', '']);
  });

  test('is woken by tocsin.hint(), when the transaction commits', async () => {
    const heard: string[] = [];
    await listening('tocsin_hint', (payload) => heard.push(payload));
    await pool.query(`select pg_notify('tocsin_hint', 'probe')`);
    await vi.waitUntil(() => heard.length === 1, waiting);
    const client = await pool.connect();
    await client.query('begin');
    await client.query('select tocsin.hint()');
    expect(heard).toEqual(['probe']);
    await client.query('commit');
    client.release();
    await vi.waitUntil(() => heard.length === 2, waiting);
  });

  test('connects again when its connection is ended, and tells once that something may have been missed', async () => {
    const heard: string[] = [];
    const { problems, applicationName } = await listening('broken', (payload) => heard.push(payload));
    const [before] = await backends(applicationName);
    await pool.query('select pg_terminate_backend($1)', [before]);
    await vi.waitUntil(() => heard.length === 1, waiting);
    const [after] = await backends(applicationName);
    expect(after).not.toBe(before);
    expect(problems).toHaveLength(1);
    await notify('broken', 'still here');
    await vi.waitUntil(() => heard.length === 2, waiting);
    expect(heard).toEqual(['', 'still here']);
  });

  test('stops for good: nothing is told and no connection remains', async () => {
    const heard: string[] = [];
    const { listener, problems, applicationName } = await listening('stopped', (payload) => heard.push(payload));
    await Promise.all([listener.stop(), listener.stop()]);
    await vi.waitUntil(async () => (await backends(applicationName)).length === 0, waiting);
    await notify('stopped', 'too late');
    expect(heard).toEqual([]);
    expect(problems).toEqual([]);
  });

  test('gives a fault of the callback to onProblem and goes on', async () => {
    let calls = 0;
    const { problems } = await listening('faulty', () => {
      calls += 1;
      throw new Error(`fault ${calls}`);
    });
    await notify('faulty', 'a');
    await notify('faulty', 'b');
    await vi.waitUntil(() => calls === 2, waiting);
    expect(problems.map(({ message }) => message)).toEqual(['fault 1', 'fault 2']);
  });

  test('goes on trying where nothing answers, and can be stopped meanwhile', async () => {
    const problems: Error[] = [];
    const listener = listen({
      connectionString: 'postgres://u:p@127.0.0.1:1/none',
      channel: 'x',
      applicationName: 'nowhere',
      onNotify: () => expect.unreachable(),
      onProblem: (error) => {
        problems.push(error);
        throw new Error('a fault of the caller');
      },
    });
    await vi.waitUntil(() => problems.length >= 2, waiting);
    await listener.stop();
    expect(String(problems[0])).toContain('ECONNREFUSED');
  });

  test('can be stopped while a server accepts and says nothing', async () => {
    const accepted = Promise.withResolvers<void>();
    const silent = createServer((socket) => {
      socket.on('error', () => {});
      accepted.resolve();
    });
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const address = silent.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const listener = listen({
      connectionString: `postgres://u:p@127.0.0.1:${port}/none`,
      channel: 'x',
      applicationName: 'silent',
      onNotify: () => expect.unreachable(),
      onProblem: () => expect.unreachable(),
    });
    await accepted.promise;
    await listener.stop();
    silent.close();
  });

  test.each(['fast', 'immediate'] as const)('survives a restart of the server (%s)', async (mode) => {
    const heard: string[] = [];
    const { problems, applicationName } = await listening(`restart ${mode}`, (payload) => heard.push(payload));
    await server.restart(mode);
    await untilListening(applicationName);
    await vi.waitUntil(() => heard.length === 1, waiting);
    expect(heard).toEqual(['']);
    expect(problems.length).toBeGreaterThan(0);
    await notify(`restart ${mode}`, 'after');
    await vi.waitUntil(() => heard.length === 2, waiting);
    expect(heard).toEqual(['', 'after']);
  });
});
