import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createPool } from '@tocsin/runtime';
import { startRestartableServer } from '@tocsin/testing';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { type QueueDatabase, queueDatabase, until } from './queue-database.fixture.ts';
import type { Queue, QueueJob } from './queue.ts';
import { testCallbacks, type TestPayloads } from './test-payloads.fixture.ts';

const { connectionString, restart } = await startRestartableServer();
const pool = createPool({ connectionString, max: 3, applicationName: 'queue test', onError: () => {} });
const database = queueDatabase({ connectionString, pool });
let child: ChildProcess | undefined;
afterEach(async () => {
  child?.kill('SIGKILL');
  await database.reset();
});
afterAll(() => pool.end());

const errors: unknown[] = [];
const started = async (options: Parameters<QueueDatabase['queue']>[1] = {}): Promise<Queue<TestPayloads>> => {
  errors.length = 0;
  const queue = database.queue(testCallbacks(errors, []), options);
  await queue.start();
  return queue;
};
const add = (queue: Queue<TestPayloads>, text: string): Promise<void> =>
  database.transaction((tx) => queue.enqueue(tx, [{ queue: 'signals', data: { text } }]));
const collectInto = (queue: Queue<TestPayloads>, seen: QueueJob<{ text: string }>[]) => {
  return async (jobs: readonly QueueJob<{ text: string }>[]): Promise<void> => {
    await database.transaction((tx) => queue.completeInTransaction(tx, jobs));
    seen.push(...jobs);
  };
};

describe('recovery', () => {
  it('gives the job of a killed process to another one soon after its claim has run out', async () => {
    const survivor = await started({ claimSeconds: 2, reclaimEverySeconds: 0.2 });
    await add(survivor, 'orphan');
    child = spawn(
      process.execPath,
      [
        '--conditions=@tocsin/source',
        fileURLToPath(new URL('claim-holder.fixture.ts', import.meta.url)),
        connectionString,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    if (child.stdout === null) throw new Error('no stdout');
    await once(child.stdout, 'data');
    const seen: QueueJob<{ text: string }>[] = [];
    await survivor.work('signals', { batchSize: 1, concurrency: 1 }, collectInto(survivor, seen));
    child.kill('SIGKILL');
    const killedAt = performance.now();
    await until(() => seen.length === 1);
    expect(seen).toMatchObject([{ attempt: 1, data: { text: 'orphan' } }]);
    expect(performance.now() - killedAt).toBeLessThan(5_000);
  });

  it.each(['fast', 'immediate'] as const)('goes on by itself after the server was restarted (%s)', async (mode) => {
    const worker = await started({ claimSeconds: 2, reclaimEverySeconds: 0.2, wakeEverySeconds: 0.2 });
    const seen: QueueJob<{ text: string }>[] = [];
    await worker.work('signals', { batchSize: 1, concurrency: 2 }, collectInto(worker, seen));
    await add(worker, 'before');
    await until(() => seen.length === 1);
    await restart(mode);
    await add(worker, 'after');
    await until(() => seen.length === 2);
    expect(errors.length).toBeGreaterThan(0);
  });

  it('hears notifications again after the server was restarted', async () => {
    const worker = await started({ wakeEverySeconds: 3600 });
    const seen: QueueJob<{ text: string }>[] = [];
    await worker.work('signals', { batchSize: 1, concurrency: 1 }, collectInto(worker, seen));
    await add(worker, 'before');
    await until(() => seen.length === 1);
    await restart('fast');
    await add(worker, 'after');
    await until(() => seen.length === 2);
  });

  it('runs a job again, once, whose handler was cut off by the restart', async () => {
    const worker = await started({ claimSeconds: 1, reclaimEverySeconds: 0.2, wakeEverySeconds: 0.2 });
    const seen: QueueJob<{ text: string }>[] = [];
    const begun = Promise.withResolvers<void>();
    const restarted = Promise.withResolvers<void>();
    await worker.work('signals', { batchSize: 1, concurrency: 1 }, async (jobs) => {
      await database.transaction(async (tx) => {
        await tx.query('select 1');
        begun.resolve();
        await restarted.promise;
        await worker.completeInTransaction(tx, jobs);
      });
      seen.push(...jobs);
    });
    await add(worker, 'cut off');
    await begun.promise;
    await restart('immediate');
    restarted.resolve();
    await until(() => seen.length === 1);
    expect(seen).toMatchObject([{ attempt: 1 }]);
    expect((await worker.depth()).signals).toMatchObject({ ready: 0, deferred: 0, active: 0 });
  });
});
