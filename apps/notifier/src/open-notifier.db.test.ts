import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, loadConfig } from '@tocsin/runtime';
import { createTestDatabase } from '@tocsin/testing';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openNotifier } from './open-notifier.ts';
import type { AuditResult } from './self-watch/self-watch.ts';

const database = await createTestDatabase();
const config = `
version: 1
channels:
  files: { type: outbox, directory: ./mails }
routes:
  - name: default
    channels: [files]
silences:
  - name: move
    match: { source: apple }
    until: '2099-01-01T00:00:00Z'
    reason: moving house
self_watch: { audit_every: 1s, canary: 1h, deadman_url: 'http://127.0.0.1:9/ping' }
workers: { notifier_port: off }
`;

test('a notifier as configured makes its silences, gives signs of life, sends a canary, audits and pings', async () => {
  const cwd = await mkdtemp(join(tmpdir(), 'notifier-'));
  onTestFinished(() => rm(cwd, { recursive: true }));
  await writeFile(join(cwd, 'tocsin.yaml'), config);
  const asked: string[] = [];
  const audits: AuditResult[] = [];
  const notifier = await openNotifier({
    config: loadConfig({ env: { DATABASE_URL: database.connectionString }, cwd }),
    connectionString: database.connectionString,
    log: createLogger({ level: 'silent', name: 'notifier' }),
    fetch: async (url) => {
      asked.push(url);
      return { status: 200 };
    },
    onAudit: (result) => audits.push(result),
  });
  onTestFinished(() => notifier.stop());
  await notifier.start();
  await vi.waitFor(() => expect(asked).toContain('http://127.0.0.1:9/ping'), { timeout: 20_000 });
  expect(audits[0]).toMatchObject({ clean: true, pinged: true });
  expect(notifier.status()).toMatchObject({
    sweptAgoMs: expect.any(Number),
    selfWatch: { audit: { clean: true }, deadmanPingedAtMs: expect.any(Number) },
  });
  const rowsOf = async (text: string) => (await database.pool.query(text)).rows;
  await vi.waitFor(async () =>
    expect(await rowsOf('select source, job_type, status from tocsin.canary_jobs')).toEqual([
      { source: 'tocsin', job_type: 'canary', status: 'failed' },
    ]),
  );
  expect(await rowsOf('select name, made_by, reason from tocsin.silences')).toEqual([
    { name: 'move', made_by: 'tocsin.yaml', reason: 'moving house' },
  ]);
  expect(await rowsOf("select component from tocsin.heartbeats where component = 'notifier'")).toHaveLength(1);
  expect(await rowsOf('select verified_at from tocsin.channel_states')).toEqual([]);
});
