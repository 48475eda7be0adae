import { evolveAlert } from '@tocsin/alert-model';
import type { AlertEvent, AlertState, EventNamed, FrozenRoute } from '@tocsin/alert-model';
import { expect, test } from 'vitest';
import type { AlertFacts } from './alert-explanation.ts';
import { nextActions } from './next-actions.ts';

const uuid = (digit: number): string => `00000000-0000-4000-8000-00000000000${digit}`;
const at = (minute: number): string => `2026-03-02T03:${String(minute).padStart(2, '0')}:00.000000Z`;
const route: FrozenRoute = {
  name: 'default',
  channels: ['email'],
  fallback: [],
  windowMs: 900_000,
  firstAtOnce: false,
  quietHours: [],
  breakThrough: ['critical'],
  escalation: {
    name: 'second-line',
    levels: [
      { afterMs: 1_800_000, channels: ['pager'], severities: null },
      { afterMs: 2_400_000, channels: ['boss'], severities: null },
    ],
    repeat: { everyMs: 3_600_000, times: 2 },
  },
};

const failed = (minute: number): AlertEvent => ({
  type: 'FailureDetected',
  occurredAt: at(minute),
  data: {
    alertId: uuid(1) as EventNamed<'FailureDetected'>['data']['alertId'],
    key: 'chain/apple/catalog',
    outcomeId: uuid(2) as EventNamed<'FailureDetected'>['data']['outcomeId'],
    table: 'research_jobs',
    jobId: '4711',
    kind: 'failed',
    severity: 'error',
    source: 'apple',
    jobType: 'refresh_catalog',
    targetId: 'songs',
    attempts: 3,
    maxAttempts: 3,
    error: 'no',
    signature: 's1:no',
    failedAt: at(minute),
    run: 'monday',
    missing: [{ jobType: 'rebuild_index', targetId: null }],
    lastGreenAt: null,
    notes: [],
    details: null,
    observedAt: at(minute),
    opening: {
      title: 'apple/catalog',
      rule: null,
      chain: { name: 'catalog', steps: null },
      routes: [route],
      predecessor: null,
      flapping: null,
    },
  },
});
const digestId = uuid(3) as EventNamed<'AlertBatched'>['data']['digestId'];
const batched: AlertEvent = {
  type: 'AlertBatched',
  occurredAt: at(0),
  data: { digestId, route: 'default', purpose: 'window', dueAt: at(15) },
};
const notified: AlertEvent = {
  type: 'AlertNotified',
  occurredAt: at(15),
  data: {
    digestId,
    deliveryId: uuid(4) as EventNamed<'AlertNotified'>['data']['deliveryId'],
    route: 'default',
    purpose: 'window',
    channel: 'email',
    threadId: digestId,
    acceptedAt: at(15),
    reportedResolved: false,
  },
};
const acknowledged = (minute: number): AlertEvent => ({
  type: 'AlertAcknowledged',
  occurredAt: at(minute),
  data: { by: 'anna', via: 'cli', lease: { until: 'success' }, note: null },
});
const givenBack = (minute: number): AlertEvent => ({
  type: 'AlertUnacknowledged',
  occurredAt: at(minute),
  data: { by: 'anna' },
});

const factsOf = (now: string, ...events: readonly AlertEvent[]): AlertFacts => {
  const state = events.reduce<AlertState | null>(evolveAlert, null);
  if (state === null) throw new Error('no events');
  return {
    state,
    events: events.map((event, index) => ({ version: index + 1, event })),
    digests: [],
    deliveries: [],
    providerEvents: [],
    channels: [],
    notifierAlive: true,
    janitor: { rules: [], tables: new Set() },
    now,
  };
};

test('an alert waits for every step that owes a success, those that did not run included', () => {
  expect(nextActions(factsOf(at(1), failed(0), batched))).toContainEqual({
    at: null,
    what: 'waits for: success of refresh_catalog/songs and rebuild_index',
  });
});

test('the clock of an escalation runs from the accept of the message', () => {
  expect(nextActions(factsOf(at(20), failed(0), batched, notified))[0]).toEqual({
    at: '2026-03-02T03:45:00.000Z',
    what: 'escalates to level 1 of second-line (pager) unless it is acknowledged',
  });
});

test('the clock of an escalation stands still while somebody has the alert, and begins anew when it is given back', () => {
  const taken = [failed(0), batched, notified, acknowledged(20)] as const;
  expect(nextActions(factsOf(at(25), ...taken)).filter(({ at: time }) => time !== null)).toEqual([]);
  expect(nextActions(factsOf(at(29), ...taken, givenBack(28)))[0]).toMatchObject({
    at: '2026-03-02T03:58:00.000Z',
    what: expect.stringContaining('escalates'),
  });
});

const escalated = (minute: number, level: number, repeat: number): AlertEvent => ({
  type: 'AlertEscalated',
  occurredAt: at(minute),
  data: { level, repeat, route: 'default', escalation: 'second-line', channels: ['pager'], afterMs: 0 },
});

test('after the last level everybody is told again, so often and no more', () => {
  const climbed = [failed(0), batched, notified, escalated(45, 1, 0), escalated(55, 2, 0)] as const;
  expect(nextActions(factsOf(at(56), ...climbed))[0]).toEqual({
    at: '2026-03-02T04:55:00.000Z',
    what: 'tells second-line again, 1 of 2 (pager and boss) unless it is acknowledged',
  });
  const over = factsOf(at(58), ...climbed, escalated(57, 3, 1), escalated(58, 4, 2));
  expect(nextActions(over).filter(({ at: time }) => time !== null)).toEqual([]);
});

test('nobody is told further while a silence mutes it, and its end is what comes next', () => {
  const silenced: AlertEvent = {
    type: 'AlertSilenced',
    occurredAt: at(20),
    data: { silenceId: uuid(9), by: 'ada', reason: null, end: { until: 'time', at: at(40) }, withdrawn: [] },
  };
  expect(nextActions(factsOf(at(21), failed(0), batched, notified, silenced))).toEqual([
    { at: at(40), what: 'silence 00000000 of ada ends; what happened under it is told if it still matters' },
    { at: null, what: 'waits for: success of refresh_catalog/songs and rebuild_index' },
  ]);
});

test('what is overdue while no notifier lives is said to wait for one', () => {
  const facts = { ...factsOf(at(50), failed(0), batched, notified), notifierAlive: false };
  expect(nextActions(facts)).toContainEqual({ at: null, what: expect.stringContaining('npx tocsin notifier') });
});
