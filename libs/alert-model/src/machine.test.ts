import { describe, expect, test } from 'vitest';
import {
  alertId,
  at,
  batched,
  begins,
  bounced,
  deliveryId,
  digestId,
  failure,
  fails,
  given,
  jobsPolicy,
  notified,
  outcomeId,
  silence,
} from '../fixtures/builders.ts';
import type { AlertState, LifecycleState } from './alert-state.ts';
import { effectsOf } from './effects.ts';
import { alertEventSchemas } from './event.ts';
import type { AlertEvent, AlertEventType } from './event.ts';
import { evolveAlert, waitingOf } from './evolve-alert.ts';
import { InvariantError } from './invariant-error.ts';
import { findTransition, machineTransitions, requireTransition } from './machine.ts';

const lifecycle: readonly LifecycleState[] = ['detected', 'batched', 'notified', 'acknowledged', 'resolved'];
const waitings = ['pending', 'batched', 'none'] as const;
const eventTypes = Object.keys(alertEventSchemas) as AlertEventType[];

/** States reachable from one, following every arrow. */
const reachable = (from: LifecycleState | 'absent'): ReadonlySet<string> => {
  const seen = new Set<string>();
  const open: (LifecycleState | 'absent')[] = [from];
  for (let state = open.pop(); state !== undefined; state = open.pop())
    for (const arrow of machineTransitions.filter((one) => one.from === state))
      if (!seen.has(arrow.to)) {
        seen.add(arrow.to);
        open.push(arrow.to);
      }
  return seen;
};

const acknowledged: AlertEvent = {
  type: 'AlertAcknowledged',
  occurredAt: at(220),
  data: { by: 'ann', via: 'console', lease: { until: 'success' }, note: null },
};
const silenced: AlertEvent = {
  type: 'AlertSilenced',
  occurredAt: at(183),
  data: {
    silenceId: silence(1).id,
    by: 'ann',
    reason: null,
    end: { until: 'time', at: at(540) },
    withdrawn: [digestId(7)],
  },
};
const resolved: AlertEvent = {
  type: 'AlertResolved',
  occurredAt: at(230),
  data: { reason: 'operator', resolvedAt: at(230), by: 'ann', note: null },
};

/** A failure, and a condition that holds beside it. */
const stuck = begins({ outcomeId: outcomeId(900) });
const flapping = { count: 6, withinMs: 86_400_000, holdMs: 3_600_000 };
const first = fails(null, failure(), jobsPolicy, null, { flapping }).events;
const both: readonly AlertEvent[] = [...first, ...fails(given(first), stuck).events, silenced];

/** An alert in each state. */
const examples: Readonly<Record<LifecycleState, AlertState>> = {
  detected: given(both),
  batched: given(both, batched(1)),
  notified: given(both, batched(1), notified(1)),
  acknowledged: given(both, batched(1), notified(1), acknowledged),
  resolved: given(both, batched(1), notified(1), resolved),
};

/** One event of each type that fits the examples. */
const events: Readonly<Record<AlertEventType, AlertEvent>> = {
  FailureDetected: fails(examples.notified, failure()).events[0] as AlertEvent,
  SuccessDetected: {
    type: 'SuccessDetected',
    occurredAt: at(225),
    data: {
      outcomeId: failure().outcomeId,
      table: 't',
      jobId: '1',
      jobType: 'refresh_catalog',
      targetId: 'songs',
      run: null,
      finishedAt: at(225),
    },
  },
  SeverityRaised: { type: 'SeverityRaised', occurredAt: at(225), data: { from: 'error', to: 'critical' } },
  FailureRetracted: {
    type: 'FailureRetracted',
    occurredAt: at(225),
    data: {
      outcomeId: stuck.outcomeId,
      kind: 'stuck',
      jobId: stuck.jobId,
      cause: 'alive',
      note: null,
      endedAt: at(225),
    },
  },
  JobRepaired: {
    type: 'JobRepaired',
    occurredAt: at(225),
    data: {
      repairId: 'f0000000-0000-4000-8000-000000000001',
      outcomeId: stuck.outcomeId,
      table: 't',
      jobId: stuck.jobId,
      action: 'requeue',
      result: 'done',
      reason: null,
      restart: 1,
      actedAt: at(225),
    },
  },
  AlertSilenced: { ...silenced, data: { ...silenced.data, silenceId: silence(2).id } },
  AlertUnsilenced: {
    type: 'AlertUnsilenced',
    occurredAt: at(225),
    data: { silenceId: silence(1).id, cause: 'ended', by: 'ann' },
  },
  ResolutionHeld: { type: 'ResolutionHeld', occurredAt: at(225), data: { until: at(285) } },
  FlappingEnded: { type: 'FlappingEnded', occurredAt: at(225), data: { since: at(182) } },
  NotificationBounced: bounced(1),
  AlertBatched: batched(2, { purpose: 'escalation' }),
  AlertNotified: notified(1),
  NotificationFailed: {
    type: 'NotificationFailed',
    occurredAt: at(225),
    data: {
      digestId: digestId(1),
      deliveryId: deliveryId(1),
      route: 'default',
      channel: 'email',
      reason: 'bad-address',
      fallback: null,
      final: true,
    },
  },
  AlertEscalated: {
    type: 'AlertEscalated',
    occurredAt: at(225),
    data: { level: 1, route: 'default', escalation: 'second line', channels: ['pager'], afterMs: 1, repeat: 0 },
  },
  AlertAcknowledged: acknowledged,
  AlertUnacknowledged: { type: 'AlertUnacknowledged', occurredAt: at(225), data: { by: 'ann' } },
  AcknowledgementLapsed: {
    type: 'AcknowledgementLapsed',
    occurredAt: at(225),
    data: { by: 'ann', acknowledgedAt: at(220), reason: 'time' },
  },
  AlertResolved: resolved,
  ResolutionNotified: {
    type: 'ResolutionNotified',
    occurredAt: at(240),
    data: { digestId: digestId(2), deliveryId: deliveryId(2), route: 'default', channel: 'email', acceptedAt: at(240) },
  },
};

describe('the machine', () => {
  test('reaches every state, and nothing else, from the first failure', () => {
    expect([...reachable('absent')].toSorted()).toEqual([...lifecycle].toSorted());
  });

  test.for(lifecycle.filter((state) => state !== 'resolved'))('can still resolve an alert that is %s', (state) => {
    expect(reachable(state)).toContain('resolved');
  });

  test('leaves resolved by nothing: a later failure opens a new alert', () => {
    expect([...reachable('resolved')]).toEqual(['resolved']);
    expect(findTransition('resolved', 'FailureDetected', 'pending')).toBeUndefined();
  });

  test('begins with a failure and nothing else', () => {
    expect(new Set(machineTransitions.filter((arrow) => arrow.from === 'absent').map((arrow) => arrow.event))).toEqual(
      new Set(['FailureDetected']),
    );
  });

  test('knows every event type there is, and no other', () => {
    expect(new Set(machineTransitions.map((arrow) => arrow.event))).toEqual(new Set(eventTypes));
  });

  test('has one answer for each state, event and place of the news, or none for all places', () => {
    for (const from of ['absent', ...lifecycle] as const)
      for (const event of eventTypes) {
        const found = waitings.map(
          (waiting) =>
            machineTransitions.filter(
              (arrow) => arrow.from === from && arrow.event === event && arrow.waiting === waiting,
            ).length,
        );
        expect(
          [
            [1, 1, 1],
            [0, 0, 0],
          ],
          `${from} ${event}`,
        ).toContainEqual(found);
      }
  });

  test('lets the place of the news decide the state of an open alert that nobody holds', () => {
    const targets = { pending: 'detected', batched: 'batched', none: 'notified' } as const;
    for (const from of ['detected', 'batched', 'notified'] as const)
      for (const waiting of waitings)
        for (const event of [
          'AlertBatched',
          'AlertNotified',
          'NotificationFailed',
          'FailureRetracted',
          'JobRepaired',
          'AlertSilenced',
          'AlertUnsilenced',
          'FlappingEnded',
        ] as const)
          expect(requireTransition(from, event, waiting).to).toBe(targets[waiting]);
  });

  test('tells nobody anything while somebody holds the alert and no lease ends', () => {
    for (const event of [
      'FailureDetected',
      'AlertNotified',
      'NotificationFailed',
      'NotificationBounced',
      'FailureRetracted',
      'JobRepaired',
      'SeverityRaised',
      'AlertSilenced',
      'AlertUnsilenced',
      'ResolutionHeld',
      'FlappingEnded',
    ] as const)
      expect(requireTransition('acknowledged', event, 'pending').actions).not.toContain('joinDigest');
  });

  test('never asks to resolve, send or wait by itself: only the four actions that are known', () => {
    expect(new Set(machineTransitions.flatMap((arrow) => arrow.actions))).toEqual(
      new Set(['joinDigest', 'scheduleEscalation', 'scheduleLapse', 'scheduleSettling']),
    );
  });
});

describe.for(lifecycle)('an alert that is %s', (from) => {
  const state = examples[from];

  test('is in that state', () => {
    expect(state.state).toBe(from);
  });

  const isLegal = (type: AlertEventType): boolean => findTransition(from, type, waitingOf(state)) !== undefined;

  test.for(eventTypes.filter(isLegal))('has an arrow for %s, and folding follows it', (type) => {
    const after = evolveAlert(state, events[type]);
    expect(after.state).toBe(requireTransition(from, type, waitingOf(after)).to);
    expect(after.version).toBe(state.version + 1);
    expect(effectsOf(state, events[type], after)).toBeInstanceOf(Array);
  });

  test.for(eventTypes.filter((type) => !isLegal(type)))('has no arrow for %s, and folding it is an error', (type) => {
    expect(() => evolveAlert(state, events[type])).toThrow(InvariantError);
  });
});

describe('evolveAlert', () => {
  test.for(eventTypes.filter((type) => type !== 'FailureDetected'))('refuses %s as the first event', (type) => {
    expect(() => evolveAlert(null, events[type])).toThrow(/cannot be the first event/);
  });

  test('refuses a first failure that does not say under which policy the alert opens', () => {
    expect(() => evolveAlert(null, events.FailureDetected)).toThrow(/no opening/);
  });

  test('refuses to put news into a digest where there is none', () => {
    expect(() => evolveAlert(examples.notified, batched(2))).toThrow(/no news for route default/);
  });

  test('refuses to retract a condition that does not hold', () => {
    const once = evolveAlert(examples.notified, events.FailureRetracted);
    expect(() => evolveAlert(once, events.FailureRetracted)).toThrow(/no condition .* retracted/);
  });

  test('never changes the state it was given', () => {
    const frozen = structuredClone(examples.acknowledged);
    for (const type of ['FailureDetected', 'FailureRetracted', 'JobRepaired', 'AlertResolved'] as const)
      evolveAlert(examples.acknowledged, events[type]);
    expect(examples.acknowledged).toEqual(frozen);
  });

  test('makes plain JSON', () => {
    for (const state of Object.values(examples)) expect(JSON.parse(JSON.stringify(state))).toEqual(state);
    expect(examples.detected.id).toBe(alertId(1));
  });
});
