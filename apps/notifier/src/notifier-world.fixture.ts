import { randomUUID } from 'node:crypto';
import {
  ConditionEndedSignal,
  FailureSignal,
  JobRepairedSignal,
  SuccessSignal,
  addMs,
  alertModelVersion,
  evolveAlert,
  isCondition,
} from '@tocsin/alert-model';
import type { AlertState, DeliveryOutcome, Policy, RoutePolicy, Signal } from '@tocsin/alert-model';
import { defaultSettings, parseTask } from '@tocsin/alert-service';
import type { Outgoing, ServiceContext, ServiceSettings, Store, TocsinPayloads } from '@tocsin/alert-service';
import { createPostgresStore, inMicroseconds } from '@tocsin/event-store';
import { createQueue } from '@tocsin/queue';
import type { Queue } from '@tocsin/queue';
import { createLogger } from '@tocsin/runtime';
import type { TestDatabase } from '@tocsin/testing';
import { createNotifier } from './notifier.ts';
import type { Notifier } from './notifier.ts';

/** What was handed to a channel. */
export interface Sent {
  readonly channel: string;
  readonly outgoing: Outgoing;
}

/**
 * A notifier on a real database, with a sender that writes down what it is given and a clock that tests move. For tests
 * only.
 */
export interface NotifierWorld {
  readonly service: ServiceContext;
  readonly queue: Queue<TocsinPayloads>;
  readonly notifier: Notifier;
  readonly sent: readonly Sent[];
  /** What the provider answers next, first in first out; accepted when empty. */
  readonly answers: ((channel: string) => DeliveryOutcome)[];
  /** Enqueues signals as a detector would. */
  readonly signal: (...signals: readonly unknown[]) => Promise<void>;
  /** Does all that is due. */
  readonly run: () => Promise<void>;
  /** Moves time forward: for decisions, timers and retries alike. */
  readonly advance: (ms: number) => Promise<void>;
  readonly alerts: () => Promise<readonly AlertState[]>;
  readonly close: () => Promise<void>;
}

export const route = (over: Partial<RoutePolicy> = {}): RoutePolicy => ({
  name: 'default',
  match: {},
  channels: ['email'],
  fallback: [],
  windowMs: 900_000,
  escalation: null,
  ...over,
});

export const appleCatalog: Policy['chains'] = [
  {
    name: 'catalog',
    source: 'apple',
    steps: [
      { jobType: 'refresh_catalog', targets: ['albums', 'songs', 'artists'] },
      { jobType: 'rebuild_index', targets: null },
    ],
    deadlineMs: null,
  },
];

/** Opens a world on a test file's database; several may share one, as several notifiers do. */
export const openWorld = async (
  database: TestDatabase,
  policy: Partial<Policy> = {},
  settings: Partial<ServiceSettings> = {},
): Promise<NotifierWorld> => {
  const log = createLogger({ level: 'silent', name: 'notifier' });
  const queue = createQueue<TocsinPayloads>({
    connectionString: database.connectionString,
    parse: parseTask,
    onUnreadable: () => {},
    onError: (error) => {
      throw error;
    },
  });
  await queue.start();
  const sent: Sent[] = [];
  const answers: ((channel: string) => DeliveryOutcome)[] = [];
  const clock = { offsetMs: 0 };
  const service: ServiceContext = {
    store: shiftedStore(
      createPostgresStore({ pool: database.pool, foldAlert: evolveAlert, modelVersion: alertModelVersion }),
      clock,
    ),
    queue: {
      // Times are decided by the shifted clock, jobs are fetched by the database's own.
      enqueue: (tx, jobs) =>
        queue.enqueue(
          tx,
          jobs.map((job) =>
            job.startAfter === undefined ? job : { ...job, startAfter: addMs(job.startAfter, -clock.offsetMs) },
          ),
        ),
      completeInTransaction: queue.completeInTransaction,
    },
    sender: {
      send: async (channel, outgoing) => {
        sent.push({ channel, outgoing });
        return answers.shift()?.(channel) ?? { outcome: 'accepted', providerMessageId: null, status: 202 };
      },
    },
    policy: { rules: [], chains: [], routes: [route()], schedules: [], ...policy },
    log,
    settings: { ...defaultSettings, ...settings },
  };
  const notifier = createNotifier({ service, queue, instance: `test-${randomUUID()}`, forget: async () => {} });
  return {
    service,
    queue,
    notifier,
    sent,
    answers,
    signal: (...signals) =>
      service.store.transaction('test.signal', (session) =>
        queue.enqueue(session.tx, [{ queue: 'signals', data: { signals: [...signals] } }]),
      ),
    run: async () => {
      await notifier.runOnce();
    },
    advance: async (ms) => {
      clock.offsetMs += ms;
      await database.pool.query(
        `update pgboss.job set start_after = start_after - $1 * interval '1 millisecond' where state < 'active'`,
        [ms],
      );
      await database.pool.query(
        `update tocsin.deliveries set next_attempt_at = next_attempt_at - $1 * interval '1 millisecond' where next_attempt_at is not null`,
        [ms],
      );
      await database.pool.query(
        `update tocsin.digests set due_at = due_at - $1 * interval '1 millisecond' where state = 'open'`,
        [ms],
      );
    },
    alerts: async () => {
      const { rows } = await database.pool.query<{ data: AlertState }>(
        'select data from tocsin.alerts order by opened_at, key',
      );
      return rows.map(({ data }) => data);
    },
    close: async () => {
      await notifier.stop();
    },
  };
};

/** Shifts the clock that decisions are made by. */
const shiftedStore = (store: Store, clock: { readonly offsetMs: number }): Store => ({
  read: store.read,
  transaction: (name, work) =>
    store.transaction(name, (session) =>
      work({ ...session, now: async () => inMicroseconds(addMs(await session.now(), clock.offsetMs)) }),
    ),
});

/** A failure of `apple/refresh_catalog/songs`, unless said otherwise. */
export const failure = (
  over: Partial<Record<keyof FailureSignal, unknown>> = {},
): Extract<Signal, { signal: 'FailureDetected' }> => {
  const failedAt = (over.failedAt as string | undefined) ?? new Date().toISOString();
  return FailureSignal.parse({
    v: 1,
    signal: 'FailureDetected',
    outcomeId: randomUUID(),
    table: 'research_jobs',
    jobId: randomUUID(),
    kind: 'failed',
    source: 'apple',
    jobType: 'refresh_catalog',
    targetId: 'songs',
    attempts: 3,
    maxAttempts: 3,
    error: 'HTTP 503 from http://127.0.0.1:4010/songs',
    run: null,
    runContext: null,
    notes: [],
    observedAt: failedAt,
    ...over,
    failedAt,
  });
};

/** A success of the same job. */
export const success = (
  over: Partial<Record<keyof SuccessSignal, unknown>> = {},
): Extract<Signal, { signal: 'SuccessDetected' }> => {
  const finishedAt = (over.finishedAt as string | undefined) ?? new Date().toISOString();
  return SuccessSignal.parse({
    v: 1,
    signal: 'SuccessDetected',
    outcomeId: randomUUID(),
    table: 'research_jobs',
    jobId: randomUUID(),
    source: 'apple',
    jobType: 'refresh_catalog',
    targetId: 'songs',
    run: null,
    observedAt: finishedAt,
    ...over,
    finishedAt,
  });
};

type ConditionBegun = Extract<Signal, { signal: 'FailureDetected' }>;

/** The same job shows no sign of life, unless another condition is named. */
export const condition = (over: Partial<Record<keyof FailureSignal, unknown>> = {}): ConditionBegun =>
  failure({ kind: 'stuck', attempts: 1, error: 'no sign of life for 20 minutes', ...over });

/** The end of a condition. */
export const ended = (
  begun: ConditionBegun,
  over: Partial<Record<keyof ConditionEndedSignal, unknown>> = {},
): ConditionEndedSignal => {
  const endedAt = (over.endedAt as string | undefined) ?? addMs(begun.failedAt, 60_000);
  return ConditionEndedSignal.parse({
    v: 1,
    signal: 'ConditionEnded',
    outcomeId: begun.outcomeId,
    table: begun.table,
    jobId: begun.jobId,
    kind: begun.kind,
    cause: 'alive',
    note: 'heartbeat again',
    observedAt: endedAt,
    ...over,
    endedAt,
  });
};

/** What the janitor did about a stuck job: by default it put it back into its queue. */
export const repaired = (
  begun: ConditionBegun,
  over: Partial<Record<keyof JobRepairedSignal, unknown>> = {},
): JobRepairedSignal => {
  const actedAt = (over.actedAt as string | undefined) ?? addMs(begun.failedAt, 30_000);
  return JobRepairedSignal.parse({
    v: 1,
    signal: 'JobRepaired',
    outcomeId: begun.outcomeId,
    repairId: randomUUID(),
    table: begun.table,
    jobId: begun.jobId,
    action: 'requeue',
    result: 'done',
    reason: null,
    restart: 1,
    observedAt: actedAt,
    ...over,
    actedAt,
  });
};

/**
 * What the detector writes in the transactions that send these signals: failures are announced, conditions are open until
 * they end, repairs are intended and settled.
 */
export const writeAsDetector = (store: Store, signals: readonly Signal[]): Promise<void> =>
  store.transaction('test.detector', async (session) => {
    for (const signal of signals)
      if (signal.signal === 'FailureDetected') {
        const { outcomeId: id, table, jobId, kind, failedAt, source, jobType, targetId, run } = signal;
        const subject = { source, jobType, targetId, run, facts: {} };
        await session.announceOutcomes([{ id, table, jobId, kind, failedAt, ...(isCondition(kind) && { subject }) }]);
      }
    for (const signal of signals)
      if (signal.signal === 'JobRepaired') {
        const { repairId: id, outcomeId, table, jobId, action, restart, result, reason } = signal;
        await session.intendRepair({ id, outcomeId, table, jobId, action, restart });
        await session.settleRepair(id, result, reason);
        // The times of these signals are long past; those of the ledger are the database's.
        await session.tx.query('update tocsin.repairs set settled_at = $2 where id = $1', [id, signal.actedAt]);
      }
    for (const signal of signals)
      if (signal.signal === 'ConditionEnded') {
        const { outcomeId: id, cause, note, endedAt } = signal;
        await session.endConditions([{ id, cause, note, endedAt }]);
      }
  });
