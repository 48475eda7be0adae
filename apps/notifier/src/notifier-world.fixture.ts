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
import type { AlertState, DeliveryId, DeliveryOutcome, Policy, RoutePolicy, Signal } from '@tocsin/alert-model';
import { defaultSettings, ingestSignals, parseTask, sealDigest } from '@tocsin/alert-service';
import type { Outgoing, ServiceContext, ServiceSettings, Session, Store, TocsinPayloads } from '@tocsin/alert-service';
import { createPostgresStore, inMicroseconds } from '@tocsin/event-store';
import type { ChannelState, Silence } from '@tocsin/event-store';
import { createQueue } from '@tocsin/queue';
import type { Queue } from '@tocsin/queue';
import { createLogger, hours } from '@tocsin/runtime';
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
  /** What the provider answers next, first in first out; when empty, what the script of the channel says. */
  readonly answers: ((channel: string) => DeliveryOutcome)[];
  /** How each channel answers, by its name; one without a script accepts. */
  readonly script: Map<string, (outgoing: Outgoing) => DeliveryOutcome | Promise<DeliveryOutcome>>;
  /** May be shared with another world: several notifiers on one database have one time. */
  readonly clock: TestClock;
  /** Enqueues signals as a detector would. */
  readonly signal: (...signals: readonly unknown[]) => Promise<void>;
  /** Does all that is due. */
  readonly run: () => Promise<void>;
  /** Moves time forward: for decisions, timers and retries alike. */
  readonly advance: (ms: number) => Promise<void>;
  readonly alerts: () => Promise<readonly AlertState[]>;
  readonly close: () => Promise<void>;
}

/** How far the time of decisions is ahead of the database's clock. */
export interface TestClock {
  offsetMs: number;
}

export const route = (over: Partial<RoutePolicy> = {}): RoutePolicy => ({
  name: 'default',
  match: {},
  channels: ['email'],
  fallback: [],
  windowMs: 900_000,
  firstAtOnce: false,
  quietHours: [],
  breakThrough: ['critical'],
  allQuiet: null,
  itemsMax: 100,
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

/** Forgets everything that a test before has left, the queue included. */
export const emptyTables = async ({ pool }: TestDatabase): Promise<void> => {
  await pool.query(
    `alter table tocsin.events disable trigger all;
     truncate tocsin.events, tocsin.alerts, tocsin.digests, tocsin.deliveries, tocsin.delivery_attempts, tocsin.outcomes,
       tocsin.recent_successes, tocsin.quarantine, tocsin.channel_states, tocsin.provider_events, tocsin.silences,
       tocsin.heartbeats, tocsin.cursors, tocsin.canary_jobs;
     alter table tocsin.events enable trigger all;
     delete from pgboss.job`,
  );
};

/** Without storms and flapping, which tests ask for by name. */
const calmPolicy: Policy = {
  rules: [],
  chains: [],
  routes: [route()],
  schedules: [],
  storm: null,
  flapping: null,
  hours,
  adapters: { research_jobs: 'research_jobs' },
  channels: ['email'],
};

/** Opens a world on a test file's database; several may share one, as several notifiers do. */
export const openWorld = async (
  database: TestDatabase,
  policy: Partial<Policy> = {},
  settings: Partial<ServiceSettings> = {},
  clock: TestClock = { offsetMs: 0 },
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
  const script: NotifierWorld['script'] = new Map();
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
        return (
          answers.shift()?.(channel) ??
          (await script.get(channel)?.(outgoing)) ?? { outcome: 'accepted', providerMessageId: null, status: 202 }
        );
      },
    },
    policy: { ...calmPolicy, ...policy },
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
    script,
    clock,
    signal: (...signals) =>
      service.store.transaction('test.signal', (session) =>
        queue.enqueue(session.tx, [{ queue: 'signals', data: { signals: [...signals] } }]),
      ),
    run: async () => {
      await notifier.runOnce();
    },
    advance: async (ms) => {
      clock.offsetMs += ms;
      for (const [table, columns, where] of clocks)
        await database.pool.query(
          `update ${table} set ${columns.map((column) => `${column} = ${column} - $1 * interval '1 millisecond'`).join(', ')} where ${where}`,
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

/** A message about a new failure that waits to be sent. */
export const composedDelivery = async ({ service, queue, signal }: NotifierWorld): Promise<DeliveryId> => {
  await signal(failure());
  await queue.drain('signals', (jobs) => ingestSignals(service, jobs).then(() => {}), { jobsMax: 10 });
  const due = await service.store.read((session) => session.dueDigests(10));
  for (const id of due) await sealDigest(service, id);
  const [delivery] = await service.store.read((session) => session.dueDeliveries(1));
  if (delivery === undefined) throw new Error('No message was composed.');
  return delivery;
};

/** What statements compare with the database's own clock. */
const clocks: readonly (readonly [table: string, columns: readonly string[], where: string])[] = [
  ['pgboss.job', ['start_after'], "state < 'active'"],
  ['tocsin.deliveries', ['next_attempt_at', 'accepted_at'], 'true'],
  ['tocsin.delivery_attempts', ['started_at'], 'ended_at is null'],
  ['tocsin.digests', ['due_at'], "state = 'open'"],
  ['tocsin.alerts', ['next_action_at'], 'next_action_at is not null'],
  ['tocsin.silences', ['starts_at', 'ends_at'], 'true'],
  ['tocsin.channel_states', ['open_until', 'parked_at', 'tokens_at'], 'true'],
  ['tocsin.outcomes', ['signalled_at'], 'disposition is null'],
  ['tocsin.heartbeats', ['beat_at'], 'true'],
];

/** Shifts the clock that decisions are made by: what is stored of times is the database's, what is read of them is ours. */
const shiftedStore = (store: Store, clock: { readonly offsetMs: number }): Store => {
  const ours = <At extends string | null>(at: At): At =>
    at === null ? at : (inMicroseconds(addMs(at, clock.offsetMs)) as At);
  const theirs = (at: string): string => inMicroseconds(addMs(at, -clock.offsetMs));
  const silence = (stored: Silence): Silence => ({
    ...stored,
    startsAt: ours(stored.startsAt),
    end: stored.end.until === 'time' ? { until: 'time', at: ours(stored.end.at) } : stored.end,
  });
  const channel = (state: ChannelState): ChannelState => ({
    ...state,
    openUntil: ours(state.openUntil),
    parkedAt: ours(state.parkedAt),
  });
  const shifted = (session: Session): Session => ({
    ...session,
    now: async () => ours(await session.now()),
    loadDelivery: async (id) => {
      const delivery = await session.loadDelivery(id);
      if (delivery === null) return null;
      return { ...delivery, acceptedAt: ours(delivery.acceptedAt), nextAttemptAt: ours(delivery.nextAttemptAt) };
    },
    saveAlerts: async (states) => {
      await session.saveAlerts(states);
      await shiftRows(session, 'tocsin.alerts', 'next_action_at', states);
    },
    saveDigests: async (states) => {
      await session.saveDigests(states);
      await shiftRows(session, 'tocsin.digests', 'due_at', states);
    },
    insertSilences: (silences) =>
      session.insertSilences(
        silences.map((made) => ({
          ...made,
          startsAt: theirs(made.startsAt),
          end: made.end.until === 'time' ? { until: 'time', at: theirs(made.end.at) } : made.end,
        })),
      ),
    loadSilences: async (ids) => (await session.loadSilences(ids)).map(silence),
    activeSilences: async () => (await session.activeSilences()).map(silence),
    listSilences: async (filter) => (await session.listSilences(filter)).map(silence),
    dueSilences: async (limit) => (await session.dueSilences(limit)).map(silence),
    channelStates: async (names) =>
      new Map([...(await session.channelStates(names))].map(([name, state]) => [name, channel(state)])),
    recordChannelResult: async (...args) => channel(await session.recordChannelResult(...args)),
  });
  const shiftRows = async (
    session: Session,
    table: string,
    column: string,
    states: readonly { readonly id: string }[],
  ): Promise<void> => {
    if (clock.offsetMs === 0) return;
    await session.tx.query(
      `update ${table} set ${column} = ${column} - $1 * interval '1 millisecond' where id = any($2::uuid[])`,
      [clock.offsetMs, states.map(({ id }) => id)],
    );
  };
  return {
    read: (work) => store.read((session) => work(shifted(session))),
    transaction: (name, work) => store.transaction(name, (session) => work(shifted(session))),
  };
};

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
