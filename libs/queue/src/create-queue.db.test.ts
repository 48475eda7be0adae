import { createTestDatabase } from '@tocsin/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { describeQueueContract } from './queue.contract.ts';
import { type QueueDatabase, queueDatabase, until } from './queue-database.fixture.ts';
import type { Queue, QueueJob } from './queue.ts';
import { testCallbacks, type TestPayloads, type Unreadable } from './test-payloads.fixture.ts';

const { connectionString, pool } = await createTestDatabase();
const database = queueDatabase({ connectionString, pool });

describeQueueContract('in Postgres', async (callbacks) => {
  const queue = database.queue(callbacks, { listen: false });
  await queue.start();
  return {
    queue,
    transaction: database.transaction,
    advanceSeconds: async (seconds) => {
      await pool.query(
        `update pgboss.job set start_after = start_after - $1 * interval '1s', created_on = created_on - $1 * interval '1s'
         where state < 'active'`,
        [seconds],
      );
    },
    instantIn: async (seconds) => {
      const { rows } = await pool.query<{ at: string }>(`select now() + $1 * interval '1s' as at`, [seconds]);
      return rows[0]?.at ?? '';
    },
    loseClaims: async () => {
      await pool.query(`update pgboss.job set heartbeat_on = heartbeat_on - interval '1 hour' where state = 'active'`);
    },
    addUnreadable: async (data) => {
      await database.transaction((tx) => queue.enqueue(tx, [{ queue: 'signals', data: data as never }]));
    },
    close: () => database.reset(),
  };
});

describe('the queue in Postgres', () => {
  afterEach(() => database.reset());

  const errors: unknown[] = [];
  const unreadable: Unreadable[] = [];
  const started = async (options: Parameters<QueueDatabase['queue']>[1] = {}): Promise<Queue<TestPayloads>> => {
    errors.length = 0;
    const queue = database.queue(testCallbacks(errors, unreadable), options);
    await queue.start();
    return queue;
  };
  const add = (queue: Queue<TestPayloads>, text: string, startAfter?: string): Promise<void> =>
    database.transaction((tx) =>
      queue.enqueue(tx, [{ queue: 'signals', data: { text }, ...(startAfter === undefined ? {} : { startAfter }) }]),
    );
  const instantIn = async (milliseconds: number): Promise<string> => {
    const { rows } = await pool.query<{ at: string }>(`select now() + $1 * interval '1ms' as at`, [milliseconds]);
    return rows[0]?.at ?? '';
  };
  const collect = (into: string[]) => async (jobs: readonly QueueJob<{ text: string }>[]) =>
    void into.push(...jobs.map((job) => job.data.text));

  it('hands a job to a waiting worker when it is committed, without waiting for a poll', async () => {
    const worker = await started({ wakeEverySeconds: 3600 });
    const seen: string[] = [];
    await worker.work('signals', { batchSize: 10, concurrency: 2 }, collect(seen));
    await add(worker, 'told by notification');
    await until(() => seen.length === 1);
  });

  it('finds jobs within a moment where no connection may listen', async () => {
    const worker = await started({ listen: false, wakeEverySeconds: 0.05 });
    const seen: string[] = [];
    await worker.work('signals', { batchSize: 10, concurrency: 1 }, collect(seen));
    await add(worker, 'found by looking');
    await until(() => seen.length === 1);
  });

  it('wakes the workers when a deferred job becomes due, although nothing notifies of it', async () => {
    const worker = await started({ wakeEverySeconds: 0.05 });
    const seen: string[] = [];
    await worker.work('signals', { batchSize: 10, concurrency: 1 }, collect(seen));
    await add(worker, 'deferred', await instantIn(200));
    await until(() => seen.length === 1);
    expect((await worker.depth()).signals).toMatchObject({ ready: 0, deferred: 0 });
  });

  it('works a backlog off without waiting between the jobs', async () => {
    const worker = await started({ wakeEverySeconds: 3600 });
    await database.transaction((tx) =>
      worker.enqueue(
        tx,
        Array.from({ length: 300 }, (_, delivery) => ({ queue: 'deliveries', data: { delivery } })),
      ),
    );
    let done = 0;
    await worker.work('deliveries', { batchSize: 1, concurrency: 3 }, async () => void (done += 1));
    await until(() => done === 300);
  });

  it('moves a job without attempts left to the dead letters, with where it came from', async () => {
    const queue = await started();
    await add(queue, 'hopeless');
    await pool.query('update pgboss.job set retry_limit = 0');
    await queue.drain('signals', () => Promise.reject(new Error('password=hunter2')), { jobsMax: 1 });
    const { rows } = await pool.query(
      `select data, source_name, source_output from pgboss.job where name = 'dead-letters'`,
    );
    expect(rows).toEqual([{ data: { text: 'hopeless' }, source_name: 'signals', source_output: { name: 'Error' } }]);
    expect((await queue.depth())['dead-letters'].ready).toBe(1);
  });

  it('keeps an unreadable job so that it can be moved back to its queue', async () => {
    const queue = await started();
    await database.transaction((tx) =>
      queue.enqueue(tx, [{ queue: 'signals', data: { of: 'a newer version' } as never }]),
    );
    await queue.drain('signals', async () => {}, { jobsMax: 1 });
    const { rows } = await pool.query(`select data, source_name from pgboss.job where name = 'dead-letters'`);
    expect(rows).toEqual([{ data: { of: 'a newer version' }, source_name: 'signals' }]);
  });

  it('never gives one job to two workers at a time', async () => {
    const [one, two] = [await started(), await started()];
    const running = new Set<string>();
    const done: string[] = [];
    const handler = async (jobs: readonly QueueJob[]): Promise<void> => {
      for (const job of jobs) {
        expect(running.has(job.id)).toBe(false);
        running.add(job.id);
      }
      await database.transaction((tx) => one.completeInTransaction(tx, jobs));
      for (const job of jobs) running.delete(job.id);
      done.push(...jobs.map((job) => job.id));
    };
    await one.work('deliveries', { batchSize: 5, concurrency: 2 }, handler);
    await two.work('deliveries', { batchSize: 5, concurrency: 2 }, handler);
    for (let round = 0; round < 40; round += 1) {
      await database.transaction((tx) =>
        one.enqueue(
          tx,
          Array.from({ length: 5 }, () => ({ queue: 'deliveries', data: { delivery: round } })),
        ),
      );
    }
    await until(() => done.length === 200);
    expect(new Set(done).size).toBe(200);
    expect(errors).toEqual([]);
  });

  it('lets a running handler finish before it stops', async () => {
    const worker = await started();
    const begun = Promise.withResolvers<void>();
    const proceed = Promise.withResolvers<void>();
    await worker.work('signals', { batchSize: 1, concurrency: 1 }, async (jobs) => {
      begun.resolve();
      await proceed.promise;
      await database.transaction((tx) => worker.completeInTransaction(tx, jobs));
    });
    await add(worker, 'slow');
    await begun.promise;
    const stopped = worker.stop();
    proceed.resolve();
    await stopped;
    const { rows } = await pool.query('select state from pgboss.job');
    expect(rows).toEqual([{ state: 'completed' }]);
    expect(errors).toEqual([]);
  });

  it('gives the job of a handler that does not end in time back at once, and keeps its effects out', async () => {
    const worker = await started();
    const begun = Promise.withResolvers<void>();
    const outcome = Promise.withResolvers<unknown>();
    await worker.work('signals', { batchSize: 1, concurrency: 1 }, async (jobs, signal) => {
      begun.resolve();
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      await database.transaction((tx) => worker.completeInTransaction(tx, jobs)).then(outcome.resolve, outcome.resolve);
    });
    await add(worker, 'too slow');
    await begun.promise;
    await worker.stop({ timeoutMs: 20 });
    expect(await outcome.promise).toMatchObject({ code: 'LOST_CLAIM' });
    const { rows } = await pool.query('select state from pgboss.job');
    expect(rows).toEqual([{ state: 'retry' }]);
    expect(errors).toEqual([]);
  });

  it('gives the job of a drain that does not end in time back as well', async () => {
    const worker = await started();
    const begun = Promise.withResolvers<void>();
    await add(worker, 'too slow');
    const drained = worker.drain(
      'signals',
      async (_jobs, signal) => {
        begun.resolve();
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      },
      { jobsMax: 10 },
    );
    await begun.promise;
    await worker.stop({ timeoutMs: 20 });
    expect(await drained).toBe(1);
    const { rows } = await pool.query('select state from pgboss.job');
    expect(rows).toEqual([{ state: 'retry' }]);
  });

  it('lets a drain finish the job it is at before it stops, and begins no other', async () => {
    const worker = await started();
    const begun = Promise.withResolvers<void>();
    const proceed = Promise.withResolvers<void>();
    await add(worker, 'first');
    await add(worker, 'second');
    const drained = worker.drain(
      'signals',
      async () => {
        begun.resolve();
        await proceed.promise;
      },
      { jobsMax: 10 },
    );
    await begun.promise;
    const stopped = worker.stop();
    proceed.resolve();
    await stopped;
    expect(await drained).toBe(1);
    const { rows } = await pool.query('select state from pgboss.job order by created_on');
    expect(rows).toEqual([{ state: 'completed' }, { state: 'created' }]);
  });

  it('gives back what it has claimed but not begun when it stops', async () => {
    const worker = await started();
    const seen: string[] = [];
    const begun = Promise.withResolvers<void>();
    const proceed = Promise.withResolvers<void>();
    await database.transaction((tx) =>
      worker.enqueue(
        tx,
        ['one', 'two', 'three'].map((text) => ({ queue: 'signals', data: { text } })),
      ),
    );
    // Jobs that come back are handed over one by one, so a batch of them stands half begun.
    await pool.query(`update pgboss.job set started_on = now() - interval '1 minute', state = 'retry'`);
    await worker.work('signals', { batchSize: 3, concurrency: 1 }, async (jobs) => {
      seen.push(...jobs.map((job) => job.data.text));
      begun.resolve();
      await proceed.promise;
    });
    await begun.promise;
    const stopped = worker.stop();
    proceed.resolve();
    await stopped;
    expect(seen).toHaveLength(1);
    const { rows } = await pool.query('select state, count(*) from pgboss.job group by state order by state');
    expect(rows).toEqual([
      { state: 'retry', count: 2 },
      { state: 'completed', count: 1 },
    ]);
  });

  it('takes a whole second of claim time from the queue that adds the job', async () => {
    const queue = await started({ claimSeconds: 2 });
    await add(queue, 'short claim');
    const { rows } = await pool.query('select heartbeat_seconds from pgboss.job');
    expect(rows).toEqual([{ heartbeat_seconds: 2 }]);
  });

  it('keeps the claim of a slow handler for as long as its process lives', async () => {
    const worker = await started({ claimSeconds: 1, reclaimEverySeconds: 0.1 });
    const attempts: number[] = [];
    await worker.work('signals', { batchSize: 1, concurrency: 2 }, async (jobs) => {
      attempts.push(...jobs.map((job) => job.attempt));
      // Longer than the claim: the database's clock says when.
      const until3s = await instantIn(2_500);
      await until(async () => (await instantIn(0)) > until3s);
      await database.transaction((tx) => worker.completeInTransaction(tx, jobs));
    });
    await add(worker, 'slow');
    await until(async () => (await worker.depth()).signals.active === 0 && attempts.length > 0);
    expect(attempts).toEqual([0]);
    expect(errors).toEqual([]);
  });

  it('keeps the claims of a slow drain as well', async () => {
    const [drainer, other] = [await started({ claimSeconds: 1 }), await started({ reclaimEverySeconds: 0.1 })];
    const stolen: string[] = [];
    await add(drainer, 'slow');
    await drainer.drain(
      'signals',
      async (jobs) => {
        await other.work('signals', { batchSize: 1, concurrency: 1 }, collect(stolen));
        const until3s = await instantIn(2_500);
        await until(async () => (await instantIn(0)) > until3s);
        await database.transaction((tx) => drainer.completeInTransaction(tx, jobs));
      },
      { jobsMax: 1 },
    );
    expect(stolen).toEqual([]);
    expect(errors).toEqual([]);
  });

  it('refuses to work before it is started', async () => {
    const queue = database.queue(testCallbacks([], []));
    await expect(queue.work('signals', { batchSize: 1, concurrency: 1 }, async () => {})).rejects.toThrow(
      'call start() first',
    );
  });
});
