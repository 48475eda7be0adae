import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPool, type EmbeddedPostgres, inTransaction, type Pool, startEmbeddedPostgres, type Transaction } from '@tocsin/runtime';
import { createQueue, type CreateQueueOptions } from './create-queue.ts';
import { migrateQueue } from './migrate-queue.ts';
import type { Queue, QueueCallbacks } from './queue.ts';
import type { TestPayloads } from './test-payloads.fixture.ts';

/** A real server with the queue's tables, for one test file. */
export interface QueueDatabase {
  readonly postgres: EmbeddedPostgres;
  readonly pool: Pool;
  /** A queue on this database; stopped by `reset`. Not started. */
  queue(callbacks: QueueCallbacks<TestPayloads>, options?: Partial<CreateQueueOptions<TestPayloads>>): Queue<TestPayloads>;
  transaction<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result>;
  /** Stops the queues and empties the tables. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

/** `durable` for tests that crash the server; otherwise what was committed may be gone afterwards. */
export async function openQueueDatabase({ durable = false } = {}): Promise<QueueDatabase> {
  const directory = await mkdtemp(join(tmpdir(), 'tocsin-queue-'));
  const postgres = await startEmbeddedPostgres({ directory, durable });
  const { connectionString } = postgres;
  await migrateQueue({ connectionString });
  const pool = createPool({ connectionString, max: 3, applicationName: 'queue-test', onError: () => {} });
  const queues: Queue<TestPayloads>[] = [];
  const stopQueues = async (): Promise<void> => {
    await Promise.all(queues.splice(0).map((queue) => queue.stop()));
  };
  return {
    postgres,
    pool,
    queue(callbacks, options) {
      const queue = createQueue<TestPayloads>({ connectionString, ...callbacks, ...options });
      queues.push(queue);
      return queue;
    },
    transaction: (work) => inTransaction(pool, 'queue-test', work),
    async reset() {
      await stopQueues();
      await pool.query('truncate pgboss.job');
    },
    async close() {
      await stopQueues();
      await pool.end();
      await postgres.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Waits until the condition holds; the test's own time limit ends a wait in vain. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
}
