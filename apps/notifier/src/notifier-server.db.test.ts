import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, createMetrics, loadConfig } from '@tocsin/runtime';
import type { HealthCheck, WorkerServer } from '@tocsin/runtime';
import { createTestDatabase, startRestartableServer } from '@tocsin/testing';
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createNotifierMetrics, observerOf, showSelfWatch } from './notifier-metrics.ts';
import { notifierHealth } from './notifier-health.ts';
import { startNotifierServer } from './notifier-server.ts';
import { emptyTables, failure, openWorld, route, success } from './notifier-world.fixture.ts';
import type { NotifierWorld } from './notifier-world.fixture.ts';
import { openNotifier } from './open-notifier.ts';
import { createSelfWatch } from './self-watch/self-watch.ts';

const database = await createTestDatabase();
const postgres = await startRestartableServer();
const directory = await mkdtemp(join(tmpdir(), 'tocsin-notifier-'));
afterAll(() => rm(directory, { recursive: true, force: true }));

let world: NotifierWorld | null = null;
let server: WorkerServer | null = null;
beforeEach(() => emptyTables(database));
afterEach(async () => {
  await server?.stop();
  server = null;
  await world?.close();
  world = null;
});

type Address = WorkerServer['address'];
const ask = async (
  address: Address,
  path: string,
): Promise<{ readonly status: number; readonly checks: readonly HealthCheck[]; readonly text: string }> => {
  const answer = await fetch(`http://127.0.0.1:${address?.port}${path}`);
  const text = await answer.text();
  return { status: answer.status, text, checks: path === '/metrics' ? [] : JSON.parse(text).checks };
};
const workers = { claimSeconds: 60, host: '127.0.0.1', notifierPort: { port: 0, isDefault: false } };

/** A notifier whose numbers are behind a real port. */
const open = async (...args: Parameters<typeof openWorld> extends [unknown, ...infer Rest] ? Rest : never) => {
  world = await openWorld(database, ...args);
  const metrics = createMetrics();
  let nowMs = 0;
  const counted = createNotifierMetrics(metrics, database.pool, () => nowMs);
  Object.assign(world.service, { observer: observerOf(counted) });
  const watch = createSelfWatch({ service: world.service, deadmanUrl: null, canary: null });
  metrics.beforeRead(async () => showSelfWatch(counted, watch.status()));
  server = await startNotifierServer({
    config: { workers, channels: {} },
    service: world.service,
    notifier: {
      status: () => ({ turnedAgoMs: 1_000, sweptAgoMs: 1_000, ingestedAgoMs: null, selfWatch: watch.status() }),
    },
    pool: database.pool,
    metrics,
    counted,
  });
  const address = server?.address ?? null;
  const lines = async (): Promise<readonly string[]> => {
    // Gauges of the database are read again.
    nowMs += 10_000;
    return (await ask(address, '/metrics')).text.split('\n').filter((line) => line.startsWith('tocsin_'));
  };
  return { opened: world, watch, lines, address, counted };
};

test('counts signals, alerts, digests and attempts, and shows what is open', async () => {
  const { opened, lines } = await open({ routes: [route({ windowMs: 0 })] });
  opened.answers.push(
    () => ({ outcome: 'accepted', providerMessageId: null, status: 202 }),
    () => ({ outcome: 'retry', reason: 'server-error', retryAfterMs: null, status: 500, detail: 'later' }),
  );
  const failed = failure({ failedAt: new Date(Date.now() - 60_000).toISOString() });
  await opened.signal(failed, failure({ targetId: 'albums', kind: 'dead' }));
  await opened.run();
  await opened.signal(failed, success());
  await opened.run();
  const seen = await lines();
  for (const line of [
    'tocsin_signals_ingested_total{result="recorded"} 2',
    'tocsin_signals_ingested_total{result="duplicates"} 1',
    'tocsin_signals_ingested_total{result="successes"} 1',
    'tocsin_alerts_opened_total{severity="error"} 2',
    'tocsin_alerts_resolved_total{reason="succeeded"} 1',
    'tocsin_digests_sealed_total{route="default",purpose="window"} 2',
    'tocsin_delivery_attempts_total{channel="email",outcome="accepted",reason=""} 1',
    'tocsin_delivery_attempts_total{channel="email",outcome="retry",reason="server-error"} 1',
    'tocsin_delivery_duration_seconds_count{channel="email"} 2',
    'tocsin_alerts_open{state="notified",severity="error"} 1',
    'tocsin_failures_unaccounted 0',
    'tocsin_metrics_complete 1',
  ])
    expect(seen).toContain(line);
});

test('shows failures that nobody has decided on, and channels that are parked or left alone', async () => {
  const { opened, lines } = await open();
  await database.pool.query(
    `insert into tocsin.outcomes (id, job_table, job_id, kind, failed_at)
     select gen_random_uuid(), 'research_jobs', n::text, 'failed', now() from generate_series(1, 3) as n`,
  );
  await opened.service.store.transaction('test', async (session) => {
    await session.parkChannel('email', 'unauthorized');
    await session.holdChannel('slack', 60_000);
  });
  const seen = await lines();
  expect(seen).toContain('tocsin_failures_unaccounted 3');
  expect(seen).toContain('tocsin_channel_parked{channel="email"} 1');
  expect(seen).toContain('tocsin_channel_parked{channel="slack"} 0');
  expect(seen).toContain('tocsin_channel_circuit_open{channel="slack"} 1');
  await database.pool.query('delete from tocsin.channel_states');
  expect((await lines()).filter((line) => line.startsWith('tocsin_channel_parked'))).toEqual([]);
});

test('shows what the audit found, and is not ready while it finds something', async () => {
  const { opened, watch, lines, address } = await open();
  expect(await ask(address, '/readyz')).toMatchObject({
    status: 200,
    checks: [
      { name: 'database', ok: true },
      { name: 'audit', ok: true, detail: 'has not run yet' },
    ],
  });
  expect((await lines()).filter((line) => /audit|deadman|canary/.test(line))).toEqual([]);
  await watch.auditNow();
  expect(await lines()).toContain('tocsin_audit_clean 1');
  await opened.service.store.transaction('test', async (session) => {
    await session.parkChannel('email', 'unauthorized');
  });
  await watch.auditNow();
  const seen = await lines();
  expect(seen).toContain('tocsin_audit_clean 0');
  expect(seen).toContain('tocsin_audit_problems{check="parked-channels"} 1');
  expect(seen).toContain('tocsin_audit_problems{check="overdue-alerts"} 0');
  expect(await ask(address, '/readyz')).toMatchObject({
    status: 503,
    checks: [
      { name: 'database', ok: true },
      { name: 'audit', ok: false, detail: 'the provider refuses email' },
    ],
  });
  expect((await ask(address, '/healthz')).status).toBe(200);
});

test('shows when the last canary arrived, not when it was last looked at', async () => {
  const { opened, counted, lines } = await open();
  const canaries = [
    { id: 'b', ageMs: 90_000, tookMs: null },
    { id: 'a', ageMs: 3_600_000, tookMs: 1_500 },
  ];
  const canary = { everyMs: 3_600_000, send: async () => true, look: async () => canaries };
  const watch = createSelfWatch({ service: opened.service, deadmanUrl: null, canary });
  await watch.watchCanariesNow();
  showSelfWatch(counted, watch.status());
  const seen = await lines();
  expect(seen).toContain('tocsin_canary_seconds 1.5');
  const arrived = Number(seen.find((line) => line.startsWith('tocsin_canary_last'))?.split(' ')[1]);
  expect(Math.abs(Date.now() / 1_000 - 3_598.5 - arrived)).toBeLessThan(30);
});

test('says that its housekeeping does not turn any more', () => {
  const checks = (turnedAgoMs: number | null, upMs: number) => notifierHealth({ turnedAgoMs }, upMs);
  expect(checks(null, 1_000)).toEqual([{ name: 'housekeeping', ok: true, detail: 'has not turned yet' }]);
  expect(checks(31_000, 1e9)).toEqual([{ name: 'housekeeping', ok: true, detail: 'turned 31 s ago' }]);
  expect(checks(181_000, 1e9)).toMatchObject([{ ok: false }]);
  expect(checks(null, 181_000)).toMatchObject([{ ok: false }]);
});

const log = (entries: Readonly<Record<string, unknown>>[] = []) =>
  createLogger({
    level: 'info',
    name: 'notifier',
    destination: { write: (line) => entries.push(JSON.parse(line) as Readonly<Record<string, unknown>>) },
  });
const configOf = (connectionString: string, env: Readonly<Record<string, string>> = {}) =>
  loadConfig({ env: { DATABASE_URL: connectionString, TOCSIN_NOTIFIER_PORT: '0', ...env }, cwd: directory });

test('a notifier of production whose database goes away is alive, not ready, and its numbers can still be read', async () => {
  const config = configOf(postgres.connectionString);
  const notifier = await openNotifier({ config, connectionString: postgres.connectionString, log: log() });
  try {
    await notifier.start();
    await vi.waitUntil(() => notifier.status().turnedAgoMs !== null, { timeout: 20_000 });
    expect((await ask(notifier.address(), '/healthz')).status).toBe(200);
    expect(await ask(notifier.address(), '/readyz')).toMatchObject({ status: 200 });
    expect((await ask(notifier.address(), '/metrics')).text).toContain('tocsin_metrics_complete 1');
    await postgres.stop();
    const ready = await ask(notifier.address(), '/readyz');
    expect(ready).toMatchObject({ status: 503, checks: [{ ok: false }] });
    expect(ready.text).not.toMatch(/127\.0\.0\.1|postgres/);
    expect((await ask(notifier.address(), '/healthz')).status).toBe(200);
    const numbers = await ask(notifier.address(), '/metrics');
    expect(numbers.status).toBe(200);
    expect(numbers.text).toContain('process_resident_memory_bytes');
    await vi.waitUntil(
      async () => (await ask(notifier.address(), '/metrics')).text.includes('tocsin_metrics_complete 0'),
      { timeout: 20_000 },
    );
    // Asked again within the time in which numbers are believed, it does not say that they are of now.
    expect((await ask(notifier.address(), '/metrics')).text).toContain('tocsin_metrics_complete 0');
    await postgres.start();
    await vi.waitUntil(async () => (await ask(notifier.address(), '/readyz')).status === 200, { timeout: 20_000 });
  } finally {
    await notifier.stop();
  }
});

test('two notifiers on the default port: the second goes without, and says so; a chosen one is refused', async () => {
  const entries: Readonly<Record<string, unknown>>[] = [];
  const first = await openNotifier({
    config: configOf(database.connectionString),
    connectionString: database.connectionString,
    log: log(),
  });
  await first.start();
  const port = first.address()?.port ?? 0;
  const taken = { ...workers, notifierPort: { port, isDefault: true } };
  const second = await openNotifier({
    config: { ...configOf(database.connectionString), workers: taken },
    connectionString: database.connectionString,
    log: log(entries),
  });
  const third = await openNotifier({
    config: { ...configOf(database.connectionString), workers: { ...taken, notifierPort: { port, isDefault: false } } },
    connectionString: database.connectionString,
    log: log(),
  });
  try {
    await second.start();
    expect(second.address()).toBeNull();
    expect(entries).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        msg: expect.stringContaining('set TOCSIN_NOTIFIER_PORT to another port'),
      }),
    );
    await expect(third.start()).rejects.toThrow(`Port ${port} on 127.0.0.1 is taken. Set TOCSIN_NOTIFIER_PORT`);
  } finally {
    await Promise.all([first.stop(), second.stop(), third.stop()]);
  }
});
