import { unknownRetryMs } from '@tocsin/alert-model';
import type { DeliveryOutcome, DigestMessage, Policy } from '@tocsin/alert-model';
import type { StoreSession } from '@tocsin/event-store';
import type { Enqueue, Queue, QueueJob } from '@tocsin/queue';
import type { Logger, Queryable } from '@tocsin/runtime';
import type { Ingested } from './ingest/ingest-signals.ts';
import type { TocsinPayloads } from './tasks.ts';
import type { Decided } from './unit-of-work.ts';

/** One message on its way to one channel. */
export interface Outgoing {
  readonly message: DigestMessage;
  readonly deliveryId: string;
  readonly attemptId: string;
  /** Local part of the Message-ID, the same for every attempt. */
  readonly messageId: string;
  /** What the provider called the first accepted message of this conversation on this channel; null when there is none. */
  readonly rootId: string | null;
  /** An earlier attempt may have been accepted: where the provider can be asked, it is asked first. */
  readonly mayHaveArrived: boolean;
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
  /** How much a channel may send, by its name; absent: as much as it takes. */
  readonly rateLimits: Readonly<Record<string, { readonly everyMs: number; readonly burst: number }>>;
  /** When the circuit of a channel opens; see `recordChannelResult`. Default: 5 failures, 1 min, at most 15 min. */
  readonly circuit: { readonly failuresMax: number; readonly openMs: number; readonly openMaxMs: number };
  /** How long a parked channel is left alone before one message tries it again, in milliseconds. Default 15 min. */
  readonly parkedMs: number;
  /** How many recipients a channel's messages have, by its name; a message has come back when it came back from all. */
  readonly recipients: Readonly<Record<string, number>>;
  /** A component that gave no sign of life for so long is told of, in milliseconds. Default 60,000. */
  readonly staleAfterMs: number;
}

/** Learns of what the service did, for metrics. Called after the commit; must not throw. */
export interface ServiceObserver {
  readonly ingested: (result: Ingested) => void;
  readonly decided: (decided: readonly Decided[]) => void;
  readonly sealed: (digest: { readonly route: string; readonly purpose: string }) => void;
  readonly attempted: (channel: string, outcome: DeliveryOutcome, tookMs: number) => void;
}

/** Everything the service works with. */
export interface ServiceContext {
  readonly store: Store;
  readonly queue: TocsinQueue;
  readonly sender: Sender;
  readonly policy: Policy;
  readonly log: Logger;
  readonly settings: ServiceSettings;
  /** Default: nobody learns. */
  readonly observer?: ServiceObserver;
}

export const defaultSettings: ServiceSettings = {
  attemptTimeoutMs: 30_000,
  abandonedAfterMs: 10_000,
  adminUrl: null,
  publicUrl: null,
  unknownRetryMs,
  rateLimits: {},
  circuit: { failuresMax: 5, openMs: 60_000, openMaxMs: 900_000 },
  parkedMs: 900_000,
  recipients: {},
  staleAfterMs: 60_000,
};
