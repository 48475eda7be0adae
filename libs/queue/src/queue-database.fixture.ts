import { inTransaction, type Pool, type Transaction } from '@tocsin/runtime';
import { createQueue, type CreateQueueOptions } from './create-queue.ts';
import type { Queue, QueueCallbacks } from './queue.ts';
import type { TestPayloads } from './test-payloads.fixture.ts';

/** The queues that a test file makes on its database. */
export interface QueueDatabase {
  /** A queue on this database; stopped by `reset`. Not started. */
  queue(
    callbacks: QueueCallbacks<TestPayloads>,
    options?: Partial<CreateQueueOptions<TestPayloads>>,
  ): Queue<TestPayloads>;
  transaction<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result>;
  /** Stops the queues and removes all jobs. For after each test. */
  reset(): Promise<void>;
}

export function queueDatabase(database: { readonly connectionString: string; readonly pool: Pool }): QueueDatabase {
  const queues: Queue<TestPayloads>[] = [];
  return {
    queue(callbacks, options) {
      const queue = createQueue<TestPayloads>({
        connectionString: database.connectionString,
        ...callbacks,
        ...options,
      });
      queues.push(queue);
      return queue;
    },
    transaction: (work) => inTransaction(database.pool, 'queue-test', work),
    async reset() {
      await Promise.all(queues.splice(0).map((queue) => queue.stop()));
      await database.pool.query('truncate pgboss.job');
    },
  };
}

/** Waits until the condition holds; the test's own time limit ends a wait in vain. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
}
