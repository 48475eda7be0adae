import { createConnection, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startHalfOpenProxy } from './half-open-proxy.ts';
import type { HalfOpenProxy } from './half-open-proxy.ts';

const waiting = { timeout: 5_000, interval: 5 };

let server: Server;
let proxy: HalfOpenProxy;
let heard: string;
let clients: Socket[];

beforeEach(async () => {
  heard = '';
  clients = [];
  server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      heard += String(bytes);
      socket.write(`heard ${String(bytes)}`);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy = await startHalfOpenProxy((server.address() as AddressInfo).port);
});

afterEach(async () => {
  for (const client of clients) client.destroy();
  await proxy.stop();
  server.close();
});

/** A client, and all it has been told: bytes, and how it ended. */
const connect = async () => {
  const socket = createConnection({ host: '127.0.0.1', port: proxy.port });
  clients.push(socket);
  const said: string[] = [];
  socket.on('data', (bytes) => said.push(String(bytes)));
  socket.on('close', () => said.push('closed'));
  socket.on('error', () => {});
  await once(socket, 'connect');
  return { socket, said };
};

test('hands on both ways, and the end', async () => {
  const { socket, said } = await connect();
  socket.write('hello');
  await vi.waitUntil(() => said.length === 1, waiting);
  expect(said).toEqual(['heard hello']);
  socket.end();
  await vi.waitUntil(() => said.length === 2, waiting);
  expect(said).toEqual(['heard hello', 'closed']);
  expect([proxy.made(), proxy.open()]).toEqual([1, 0]);
});

test('a frozen connection is told nothing for ever, a new one passes', async () => {
  const frozen = await connect();
  frozen.socket.write('one');
  await vi.waitUntil(() => frozen.said.length === 1, waiting);
  expect(proxy.freeze()).toBe(1);
  frozen.socket.write('two');
  const fresh = await connect();
  fresh.socket.write('three');
  await vi.waitUntil(() => fresh.said.length === 1, waiting);
  expect(heard).toBe('onethree');
  expect(frozen.said).toEqual(['heard one']);
  expect(frozen.socket.destroyed).toBe(false);
});

test('answers alone may get lost: the server has heard', async () => {
  proxy.freezeAll('answers');
  const { socket, said } = await connect();
  socket.write('told');
  await vi.waitUntil(() => heard === 'told', waiting);
  proxy.thaw();
  const fresh = await connect();
  fresh.socket.write('!');
  await vi.waitUntil(() => fresh.said.length === 1, waiting);
  expect(said).toEqual([]);
});
