import type { Policy, SignalBatch } from '@tocsin/alert-model';
import type { StoreSession } from '@tocsin/event-store';
import type { QueueDepth } from '@tocsin/queue';
import type { JobTableConfig, Logger, Pool, Queryable } from '@tocsin/runtime';
import type { DetectorMetrics } from './detector-metrics.ts';

/** Code of the error that says that Tocsin's own database failed, as opposed to a watched one. */
export const storeFailedCode = 'STORE_FAILED';

/** What the detector uses of a session of the store. */
export type DetectorSession = Pick<
  StoreSession,
  | 'now'
  | 'announceOutcomes'
  | 'recordedOutcomes'
  | 'openConditions'
  | 'endConditions'
  | 'intendRepair'
  | 'settleRepair'
  | 'intendedRepairs'
  | 'restartsOf'
  | 'loadCursor'
  | 'saveCursor'
  | 'watchedAlerts'
  | 'beat'
  | 'lockLog'
  | 'newestBeats'
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
  /** Where the table differs from the adapter's preset. */
  readonly columns?: JobTableConfig['columns'];
  readonly states?: NonNullable<JobTableConfig['states']>;
  /** How soon finished rows are deleted by others; default: what the adapter knows. */
  readonly retentionMs?: number;
  readonly pool: Pool;
  /** May update the table. Without it there is no janitor. */
  readonly janitorPool?: Pool;
  /** Says what is wrong with that database; default: the error's own message. */
  readonly describeError?: (error: unknown) => string;
}

/** The part of the policy that says when a job, a chain run or a schedule is late or silent. */
export type DetectorPolicy = Pick<Policy, 'rules' | 'chains' | 'schedules' | 'storm'>;

/** What the parts of the detector share. */
export interface DetectorContext {
  readonly policy: DetectorPolicy;
  readonly store: DetectorStore;
  readonly queue: DetectorQueue;
  readonly log: Logger;
  /** Secrets of the installation, replaced wherever they stand in an error. */
  readonly secrets: readonly string[];
  /** Milliseconds that only go forward, for pauses and pace; never compared with a time in a table. */
  readonly monotonicMs: () => number;
  /** For how long a table must have been unreadable before somebody is told, in milliseconds. */
  readonly unreadableAfterMs: number;
  /** After how long a repair without an end counts as interrupted, in milliseconds. */
  readonly interruptedAfterMs: number;
  readonly metrics: DetectorMetrics;
}
