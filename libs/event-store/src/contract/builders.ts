import { randomUUID } from 'node:crypto';
import { alertStream, digestStream, evolveAlert, evolveDigest } from '@tocsin/alert-model';
import type {
  AlertEvent,
  AlertId,
  AlertState,
  DeliveryId,
  DigestEvent,
  DigestId,
  DigestMessage,
  DigestState,
  EventNamed,
  FailureSignal,
  OutcomeId,
  SuccessSignal,
} from '@tocsin/alert-model';
import type { NewDelivery, StoreSession } from '../store.ts';

/** An instant long past, with microseconds that no JavaScript date could hold. */
export const longAgo = '2026-01-05T03:00:00.123456Z';
export const longAfter = '2999-01-01T00:00:00.000000Z';

export const newAlertId = () => randomUUID() as AlertId;
export const newDigestId = () => randomUUID() as DigestId;
export const newDeliveryId = () => randomUUID() as DeliveryId;
export const newOutcomeId = () => randomUUID() as OutcomeId;

/** The first event of an alert. */
export const opened = (
  data: Partial<EventNamed<'FailureDetected'>['data']> = {},
  occurredAt: string = longAgo,
): EventNamed<'FailureDetected'> => ({
  type: 'FailureDetected',
  occurredAt,
  data: {
    alertId: newAlertId(),
    key: `job/apple/refresh_catalog/${randomUUID()}`,
    outcomeId: newOutcomeId(),
    table: 'research_jobs',
    jobId: '4711',
    kind: 'failed',
    severity: 'error',
    source: 'apple',
    jobType: 'refresh_catalog',
    targetId: 'songs',
    attempts: 3,
    maxAttempts: 3,
    error: 'HTTP 500 from catalogue',
    signature: 'fp:v1:0011',
    failedAt: '2026-01-05T02:59:58.000001Z',
    run: null,
    missing: [],
    lastGreenAt: null,
    notes: [],
    details: null,
    observedAt: occurredAt,
    opening: {
      title: 'apple/refresh_catalog songs',
      rule: null,
      chain: null,
      routes: [
        {
          name: 'default',
          channels: ['email'],
          fallback: [],
          windowMs: 900_000,
          firstAtOnce: false,
          quietHours: [],
          breakThrough: ['critical'],
          escalation: null,
        },
      ],
      predecessor: null,
      flapping: null,
    },
    ...data,
  },
});

export const batched = (digestId: DigestId, occurredAt: string = longAgo): EventNamed<'AlertBatched'> => ({
  type: 'AlertBatched',
  occurredAt,
  data: { digestId, route: 'default', purpose: 'window', dueAt: longAgo },
});

export const resolved = (resolvedAt: string, occurredAt: string = resolvedAt): EventNamed<'AlertResolved'> => ({
  type: 'AlertResolved',
  occurredAt,
  data: { reason: 'operator', resolvedAt, by: 'mina', note: null },
});

export const acknowledged = (occurredAt: string = longAgo): EventNamed<'AlertAcknowledged'> => ({
  type: 'AlertAcknowledged',
  occurredAt,
  data: { by: 'mina', via: 'cli', lease: { until: 'success' }, note: null },
});

export const digestOpened = (
  data: Partial<EventNamed<'DigestOpened'>['data']> = {},
  occurredAt: string = longAgo,
): EventNamed<'DigestOpened'> => ({
  type: 'DigestOpened',
  occurredAt,
  data: {
    digestId: newDigestId(),
    route: randomUUID(),
    purpose: 'window',
    channels: ['email'],
    fallback: [],
    dueAt: longAgo,
    storm: null,
    ...data,
  },
});

export const digestSealed = (deliveryId: DeliveryId, threadId: DigestId): EventNamed<'DigestSealed'> => ({
  type: 'DigestSealed',
  occurredAt: longAgo,
  data: { alerts: 1, deliveries: [{ deliveryId, channel: 'email', threadId, alerts: 1 }] },
});

/** What these events, the first included, fold to. */
export const alertOf = (...events: readonly [EventNamed<'FailureDetected'>, ...AlertEvent[]]): AlertState => {
  const [first, ...others] = events;
  return others.reduce(evolveAlert, evolveAlert(null, first));
};

export const digestOf = (...events: readonly [EventNamed<'DigestOpened'>, ...DigestEvent[]]): DigestState => {
  const [first, ...others] = events;
  return others.reduce(evolveDigest, evolveDigest(null, first));
};

/** Appends and saves a new alert, as the service does. */
export const writeAlert = async (
  session: StoreSession,
  ...events: readonly [EventNamed<'FailureDetected'>, ...AlertEvent[]]
): Promise<AlertState> => {
  const state = alertOf(...events);
  await session.appendEvents([{ streamId: alertStream(state.id), expectedVersion: 0, events }]);
  await session.saveAlerts([state]);
  return state;
};

/** Appends and saves a new digest. */
export const writeDigest = async (
  session: StoreSession,
  ...events: readonly [EventNamed<'DigestOpened'>, ...DigestEvent[]]
): Promise<DigestState> => {
  const state = digestOf(...events);
  await session.appendEvents([{ streamId: digestStream(state.id), expectedVersion: 0, events }]);
  await session.saveDigests([state]);
  return state;
};

export const messageFor = (digestId: DigestId, subject = 'apple: songs failed'): DigestMessage => ({
  v: 1,
  digestId,
  threadId: digestId,
  route: 'default',
  purpose: 'window',
  subject,
  headline: 'songs failed',
  followUp: false,
  severity: 'error',
  items: [],
  omittedAlerts: 0,
  totals: { failures: 1, alerts: 1, resolved: 0, stillOpen: 1 },
  notices: [],
  composedAt: longAgo,
});

export const newDelivery = (digestId: DigestId, changes: Partial<NewDelivery> = {}): NewDelivery => {
  const id = newDeliveryId();
  return {
    id,
    digestId,
    channel: 'email',
    purpose: 'window',
    threadId: digestId,
    messageId: `${id}.1`,
    alertIds: [newAlertId()],
    resolvedIds: [],
    message: messageFor(digestId),
    fallbackOf: null,
    ...changes,
  };
};

export const success = (changes: Partial<SuccessSignal> = {}): SuccessSignal => ({
  v: 1,
  signal: 'SuccessDetected',
  outcomeId: newOutcomeId(),
  table: 'research_jobs',
  jobId: '4712',
  source: 'apple',
  jobType: 'refresh_catalog',
  targetId: 'songs',
  run: null,
  finishedAt: longAgo,
  observedAt: longAgo,
  ...changes,
});

export const failure = (changes: Partial<FailureSignal> = {}): FailureSignal => ({
  v: 1,
  signal: 'FailureDetected',
  outcomeId: newOutcomeId(),
  table: 'research_jobs',
  jobId: '4713',
  kind: 'failed',
  source: 'apple',
  jobType: 'refresh_catalog',
  targetId: 'songs',
  attempts: 3,
  maxAttempts: 3,
  error: 'HTTP 500 from catalogue',
  failedAt: longAgo,
  run: null,
  runContext: null,
  counts: null,
  history: { lastSuccessAt: null, successes: 0 },
  sourceSuccesses: null,
  details: null,
  notes: [],
  observedAt: longAgo,
  ...changes,
});
