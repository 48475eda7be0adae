import { unknownRetryMs } from '@tocsin/alert-model';
import type { DeliveryOutcome, DigestMessage, Policy } from '@tocsin/alert-model';
import type { StoreSession } from '@tocsin/event-store';
import type { Enqueue, Queue, QueueJob } from '@tocsin/queue';
import type { Logger, Queryable } from '@tocsin/runtime';
import type { TocsinPayloads } from './tasks.ts';

/** One message on its way to one channel. */
export interface Outgoing {
  readonly message: DigestMessage;
  readonly deliveryId: string;
  readonly attemptId: string;
  /** Local part of the Message-ID, the same for every attempt. */
  readonly messageId: string;
}

/** The way out: implemented over the channels by the notifier, so that this library knows no provider. */
export interface Sender {
  /**
   * Sends once. Every expected failure is an outcome; a channel that is not configured is `rejected`, `misconfigured`.
   * `signal` aborts when the attempt has run out of time.
   */
  readonly send: (
    channel: string,
    outgoing: Outgoing,
    options: { readonly signal: AbortSignal; readonly timeoutMs: number },
  ) => Promise<DeliveryOutcome>;
}

export type Session = StoreSession & { readonly tx: Queryable };

export interface Store {
  /** Runs work in one transaction; commits when it resolves, rolls back when it throws. */
  readonly transaction: <Result>(name: string, work: (session: Session) => Promise<Result>) => Promise<Result>;
  /** Runs single statements outside a transaction. */
  readonly read: <Result>(work: (session: Session) => Promise<Result>) => Promise<Result>;
}

export type TocsinQueue = Pick<Queue<TocsinPayloads>, 'enqueue' | 'completeInTransaction'>;
export type TocsinEnqueue = Enqueue<TocsinPayloads>;
export type TocsinJob = QueueJob;

export interface ServiceSettings {
  /** Longest time one attempt at a provider may take, in milliseconds. Default 30,000. */
  readonly attemptTimeoutMs: number;
  /** How long after `attemptTimeoutMs` an open attempt counts as abandoned, in milliseconds. Default 10,000. */
  readonly abandonedAfterMs: number;
  /** See `Composition`. */
  readonly adminUrl: string | null;
  readonly publicUrl: string | null;
  /** Wait before an attempt of unknown outcome is repeated, in milliseconds. Default 60,000. */
  readonly unknownRetryMs: number;
}

/** Everything the service works with. */
export interface ServiceContext {
  readonly store: Store;
  readonly queue: TocsinQueue;
  readonly sender: Sender;
  readonly policy: Policy;
  readonly log: Logger;
  readonly settings: ServiceSettings;
}

export const defaultSettings: ServiceSettings = {
  attemptTimeoutMs: 30_000,
  abandonedAfterMs: 10_000,
  adminUrl: null,
  publicUrl: null,
  unknownRetryMs,
};
