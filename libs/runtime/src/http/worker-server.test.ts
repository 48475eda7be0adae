import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createLogger } from '../log.ts';
import { createMetrics, labelValuesMax } from './metrics.ts';
import { requestBytesMax, startWorkerServer } from './worker-server.ts';
import type { HealthCheck, Hook, WorkerServer, WorkerServerOptions } from './worker-server.ts';

const running: WorkerServer[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
});

const fine: readonly HealthCheck[] = [{ name: 'loop', ok: true, detail: 'turned 2 s ago' }];
const broken: readonly HealthCheck[] = [...fine, { name: 'database', ok: false, detail: 'cannot be reached' }];
const options = (change: Partial<WorkerServerOptions> = {}): WorkerServerOptions => ({
  host: '127.0.0.1',
  port: { port: 0, isDefault: false },
  setting: 'TOCSIN_NOTIFIER_PORT',
  log: createLogger({ level: 'silent', name: 'test' }),
  health: () => fine,
  ready: async () => fine,
  metrics: createMetrics(),
  ...change,
});
const start = async (change: Partial<WorkerServerOptions> = {}): Promise<string> => {
  const server = await startWorkerServer(options(change));
  running.push(server);
  return `http://127.0.0.1:${server.address?.port}`;
};

describe('the server of a worker', () => {
  test('says that it is fine, and what is not', async () => {
    const url = await start({ ready: async () => broken });
    const health = await fetch(`${url}/healthz`);
    expect(health.status).toBe(200);
    expect(await health.json()).toEqual({ status: 'ok', checks: fine });
    const ready = await fetch(`${url}/readyz`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toEqual({ status: 'failing', checks: broken });
  });

  test('is not ready when it cannot find out, and says nothing of the error to strangers', async () => {
    const url = await start({ ready: () => Promise.reject(new Error('postgres://user:password@host')) });
    const answer = await fetch(`${url}/readyz`);
    expect(answer.status).toBe(503);
    expect(await answer.text()).not.toContain('password');
  });

  test('gives its metrics in the text format of Prometheus, gauges brought up to date before', async () => {
    const metrics = createMetrics();
    const gauge = metrics.gauge('tocsin_alerts_open', 'Open alerts.', ['state']);
    metrics.beforeRead(async () => gauge.set({ state: 'notified' }, 3));
    metrics.counter('tocsin_job_events_total', 'Job events.', ['event']).add({ event: 'failed' }, 2);
    const url = await start({ metrics });
    const answer = await fetch(`${url}/metrics`);
    expect(answer.headers.get('content-type')).toContain('text/plain');
    const text = await answer.text();
    expect(text).toContain('tocsin_alerts_open{state="notified"} 3');
    expect(text).toContain('tocsin_job_events_total{event="failed"} 2');
    expect(text).toContain('process_resident_memory_bytes');
  });

  test('gives what it has when the database cannot be asked', async () => {
    const metrics = createMetrics();
    metrics.beforeRead(() => Promise.reject(new Error('no database')));
    const text = await (await fetch(`${await start({ metrics })}/metrics`)).text();
    expect(text).toContain('tocsin_metrics_complete 0');
    expect(text).toContain('process_resident_memory_bytes');
  });

  test('shows no gauge that nobody has set, and every counter from nought', async () => {
    const metrics = createMetrics();
    const gauge = metrics.gauge('tocsin_audit_clean', 'Audit.');
    metrics.counter('tocsin_things_total', 'Things.');
    const lines = async () => (await metrics.read()).text.split('\n').filter((line) => /^tocsin_[at]/.test(line));
    expect(await lines()).toEqual(['tocsin_things_total 0']);
    gauge.set({}, 1);
    expect(await lines()).toEqual(['tocsin_audit_clean 1', 'tocsin_things_total 0']);
    gauge.reset();
    expect(await lines()).toEqual(['tocsin_things_total 0']);
  });

  test('gives its metrics although the database hangs', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const metrics = createMetrics();
      metrics.beforeRead(() => new Promise(() => {}));
      const read = metrics.read();
      await vi.advanceTimersByTimeAsync(3_000);
      expect((await read).text).toContain('tocsin_metrics_complete 0');
    } finally {
      vi.useRealTimers();
    }
  });

  test('counts only so many values of a label one by one', async () => {
    const metrics = createMetrics();
    const counter = metrics.counter('tocsin_job_events_total', 'Job events.', ['job_type']);
    for (let n = 0; n < labelValuesMax + 50; n += 1) counter.add({ job_type: `type-${n}` });
    expect((await metrics.read()).text).toContain('tocsin_job_events_total{job_type="other"} 50');
  });

  test('hands hooks the bytes as they came, and refuses bodies that are too large', async () => {
    const taken: string[] = [];
    const hook: Hook = {
      path: '/hooks/sendgrid',
      handle: async ({ headers, body }) => {
        taken.push(`${headers['x-signature']} ${Buffer.from(body).toString('latin1')}`);
        return { status: 202, text: 'taken' };
      },
    };
    const url = await start({ hooks: [hook] });
    const body = '[ {"a":\t1} ]';
    const answer = await fetch(`${url}/hooks/sendgrid`, { method: 'POST', headers: { 'X-Signature': 's' }, body });
    expect([answer.status, await answer.text(), taken]).toEqual([202, 'taken', [`s ${body}`]]);
    const large = await fetch(`${url}/hooks/sendgrid`, { method: 'POST', body: 'x'.repeat(requestBytesMax + 1) });
    expect(large.status).toBe(413);
    expect((await fetch(`${url}/hooks/sendgrid`)).status).toBe(404);
    expect(taken).toHaveLength(1);
  });

  test('answers 503 without details, and warns, while the database is away', async () => {
    const lines: string[] = [];
    const log = createLogger({ level: 'warn', name: 'test', destination: { write: (line) => lines.push(line) } });
    const starting = Object.assign(new Error('the database system is starting up'), { code: '57P03' });
    const hook: Hook = { path: '/hooks/x', handle: () => Promise.reject(starting) };
    const url = await start({ log, hooks: [hook] });
    const answer = await fetch(`${url}/hooks/x`, { method: 'POST' });
    expect(answer.status).toBe(503);
    expect(await answer.text()).toBe('The database is away just now. Try again.');
    expect(lines.map((line) => (JSON.parse(line) as { level: string }).level)).toEqual(['warn']);
  });

  test('answers 500 without details when a hook fails', async () => {
    const hook: Hook = { path: '/hooks/x', handle: () => Promise.reject(new Error('secret')) };
    const url = await start({ hooks: [hook] });
    const answer = await fetch(`${url}/hooks/x`, { method: 'POST' });
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain('secret');
  });

  test('goes without when the default port is taken, and refuses a chosen one that is', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const server = await startWorkerServer(options({ port: { port, isDefault: true } }));
    expect(server.address).toBeNull();
    await server.stop();
    await expect(startWorkerServer(options({ port: { port, isDefault: false } }))).rejects.toThrow(
      `Port ${port} on 127.0.0.1 is taken. Set TOCSIN_NOTIFIER_PORT to another port, or to off.`,
    );
    other.close();
  });
});
