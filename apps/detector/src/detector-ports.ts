import type { SignalBatch } from '@tocsin/alert-model';
import type { StoreSession } from '@tocsin/event-store';
import type { QueueDepth } from '@tocsin/queue';
import type { Logger, Pool, Queryable } from '@tocsin/runtime';

/** What the detector uses of a session of the store. */
export type DetectorSession = Pick<
  StoreSession,
  'announceOutcomes' | 'recordedOutcomes' | 'loadCursor' | 'saveCursor' | 'watchedAlerts' | 'beat'
> & {
  /** The open transaction, for the queue. */
  readonly tx: Queryable;
};

/** What the detector uses of the store; both the Postgres store and its twin in memory have it. */
export interface DetectorStore {
  readonly transaction: <Result>(name: string, work: (session: DetectorSession) => Promise<Result>) => Promise<Result>;
}

/** What the detector uses of the queue. */
export interface DetectorQueue {
  enqueue(tx: Queryable, jobs: readonly { readonly queue: 'signals'; readonly data: SignalBatch }[]): Promise<void>;
  depth(): Promise<{ readonly signals: Pick<QueueDepth, 'ready' | 'deferred' | 'active'> }>;
}

/** One table to watch, with the connections to its database. */
export interface WatchedTable {
  /** Unique; part of every outcome's identity. */
  readonly name: string;
  /** `schema.table`. */
  readonly table: string;
  /** Name of a mapping, see `adapterNames`. */
  readonly adapter: string;
  readonly pollMs: number;
  readonly reconcileMs: number;
  readonly lookBackMs: number;
  /** Rows per page of a scan. */
  readonly batch: number;
  /** How far behind the safe point the cursor stays. Default: 10 s, or 60 s where writers of other users cannot be seen. */
  readonly overlapMs?: number;
  readonly pool: Pool;
  /** Says what is wrong with that database; default: the error's own message. */
  readonly describeError?: (error: unknown) => string;
}

/** What the parts of the detector share. */
export interface DetectorContext {
  readonly store: DetectorStore;
  readonly queue: DetectorQueue;
  readonly log: Logger;
  /** Secrets of the installation, replaced wherever they stand in an error. */
  readonly secrets: readonly string[];
  /** Milliseconds that only go forward, for pauses and pace; never compared with a time in a table. */
  readonly monotonicMs: () => number;
}
