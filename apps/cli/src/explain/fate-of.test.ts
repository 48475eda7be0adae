import { evolveAlert } from '@tocsin/alert-model';
import type { AlertEvent, AlertState, DigestState } from '@tocsin/alert-model';
import type { Delivery } from '@tocsin/event-store';
import { expect, test } from 'vitest';
import type { AlertFacts } from './alert-explanation.ts';
import { fateOf } from './fate-of.ts';

const uuid = (digit: number): string => `${String(digit).repeat(8)}-0000-4000-8000-000000000000`;
const at = (minute: number): string => `2026-03-02T03:${String(minute).padStart(2, '0')}:00.000000Z`;
const outcome = { id: uuid(7) as never };
const event = (type: AlertEvent['type'], minute: number, data: object): AlertEvent =>
  ({ type, occurredAt: at(minute), data }) as AlertEvent;

const failed = event('FailureDetected', 0, {
  alertId: uuid(1),
  key: 'job/apple/x',
  outcomeId: outcome.id,
  table: 't',
  jobId: '1',
  kind: 'failed',
  severity: 'error',
  source: 'apple',
  jobType: 'x',
  targetId: null,
  attempts: 1,
  maxAttempts: 1,
  error: 'no',
  signature: 's',
  failedAt: at(0),
  run: null,
  missing: [],
  lastGreenAt: null,
  notes: [],
  details: null,
  observedAt: at(0),
  opening: {
    title: 'apple/x',
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
        breakThrough: [],
        escalation: null,
      },
    ],
    predecessor: null,
    flapping: null,
  },
});
const batched = (digest: number, minute: number): AlertEvent =>
  event('AlertBatched', minute, {
    digestId: uuid(digest),
    route: 'default',
    purpose: 'window',
    dueAt: at(minute + 15),
  });
const gaveUp = (digest: number, minute: number): AlertEvent =>
  event('NotificationFailed', minute, {
    digestId: uuid(digest),
    deliveryId: uuid(digest + 3),
    route: 'default',
    channel: 'email',
    reason: 'bad-request',
    fallback: null,
    final: true,
  });
const silenced = (minute: number, ...withdrawn: readonly number[]): AlertEvent =>
  event('AlertSilenced', minute, {
    silenceId: uuid(9),
    by: 'ada',
    reason: 'moving',
    end: { until: 'time', at: at(50) },
    withdrawn: withdrawn.map(uuid),
  });
const unsilenced = (minute: number): AlertEvent =>
  event('AlertUnsilenced', minute, { silenceId: uuid(9), cause: 'expired', by: null });

const digest = (number: number, state: DigestState['state'], dueAt = at(30)): DigestState =>
  ({ id: uuid(number), route: 'default', purpose: 'window', state, dueAt }) as unknown as DigestState;
const delivery = (number: number, over: Partial<Delivery> = {}): AlertFacts['deliveries'][number] => ({
  delivery: { digestId: uuid(number), channel: 'email', state: 'accepted', acceptedAt: at(16), ...over } as Delivery,
  attempts: [],
});

const fate = (events: readonly AlertEvent[], facts: Pick<AlertFacts, 'digests' | 'deliveries'>): string => {
  const state = events.reduce<AlertState | null>(evolveAlert, null);
  if (state === null) throw new Error('no events');
  return fateOf(outcome, {
    state,
    events: events.map((one, index) => ({ version: index + 1, event: one })),
    providerEvents: [],
    channels: [],
    notifierAlive: true,
    janitor: { rules: [], tables: new Set() },
    now: at(40),
    ...facts,
  });
};

test('told by the digest that it was put into', () => {
  expect(fate([failed, batched(2, 1)], { digests: [digest(2, 'delivered')], deliveries: [delivery(2)] })).toBe(
    'told on route default: email accepted it at 2026-03-02 03:16:00 UTC',
  );
});

test('what a silence took out of a digest is not told by that digest, but by the one after it', () => {
  const muted = [failed, batched(2, 1), silenced(2, 2)];
  const facts = { digests: [digest(2, 'delivered'), digest(3, 'delivered')], deliveries: [delivery(2), delivery(3)] };
  expect(fate(muted, facts)).toBe(
    'on route default it is not told: silence 99999999 of ada (moving) mutes it until 2026-03-02 03:50:00 UTC',
  );
  expect(fate([...muted, unsilenced(20), batched(3, 20)], facts)).toBe(
    'told on route default (silence 99999999 of ada (moving) muted it from 2026-03-02 03:02:00 to 2026-03-02 03:20:00 UTC): email accepted it at 2026-03-02 03:16:00 UTC',
  );
});

test('a silence that came after it was told is not blamed', () => {
  expect(
    fate([failed, batched(2, 1), silenced(20)], { digests: [digest(2, 'delivered')], deliveries: [delivery(2)] }),
  ).not.toContain('ada');
});

test('what every channel gave up is told by the next digest', () => {
  const facts = {
    digests: [digest(2, 'failed'), digest(3, 'open')],
    deliveries: [delivery(2, { state: 'rejected', acceptedAt: null })],
  };
  expect(fate([failed, batched(2, 1), gaveUp(2, 17)], facts)).toBe(
    'on route default its digest is failed, and no channel has accepted it',
  );
  expect(fate([failed, batched(2, 1), gaveUp(2, 17), batched(3, 18)], facts)).toBe(
    'on route default it goes out at 2026-03-02 03:30:00 UTC',
  );
});

test('a message that came back has told nobody', () => {
  const facts = {
    digests: [digest(2, 'failed')],
    deliveries: [delivery(2, { state: 'rejected', lastReason: 'bounced' })],
  };
  expect(fate([failed, batched(2, 1)], facts)).toBe(
    'on route default its digest is failed, and email had accepted it and it came back, and no other channel has accepted it',
  );
});
