/**
 * The job queue: work that is added in the same transaction as the change it follows from, is handed out until it is
 * done, and is completed in the same transaction as its effects. The only place that knows pg-boss.
 */
export { assertQueueUnderstood } from './assert-queue-understood.ts';
export { createMemoryQueue } from './create-memory-queue.ts';
export type { MemoryQueue, MemoryQueueOptions } from './create-memory-queue.ts';
export { createQueue } from './create-queue.ts';
export type { CreateQueueOptions } from './create-queue.ts';
export { migrateQueue } from './migrate-queue.ts';
export type { MigrateQueueOptions } from './migrate-queue.ts';
export { LostClaimError, QueueNotUnderstoodError } from './queue-errors.ts';
export { DEAD_LETTERS, QUEUE_NAMES } from './queue.ts';
export type {
  DrainOptions,
  Enqueue,
  EnqueueInto,
  JobHandler,
  Queue,
  QueueCallbacks,
  QueueDepth,
  QueueDepths,
  QueueJob,
  QueueName,
  QueuePayloads,
  WorkOptions,
} from './queue.ts';
