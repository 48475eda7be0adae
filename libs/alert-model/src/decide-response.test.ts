import { describe, expect, test } from 'vitest';
import {
  alertId,
  at,
  batched,
  deliveryId,
  digestId,
  failure,
  fails,
  given,
  notified,
  opened,
  refused,
  success,
  follows,
  told,
} from '../fixtures/builders.ts';
import { decideAcknowledge, decideLapse, decideUnacknowledge } from './decide-acknowledge.ts';
import { decideEscalate } from './decide-escalate.ts';
import { decideNotificationFailed, decideNotified, decideResolve, decideSuccess } from './decide.ts';
import { effectsOf } from './effects.ts';
import type { Lease } from './event.ts';
import { evolveAlert } from './evolve-alert.ts';

const acknowledge = (lease: Lease = { until: 'signature-change' }, by = 'ann') => ({
  by,
  via: 'console',
  lease,
  note: null,
});
const acceptance = (
  digest: number,
  changes: Partial<Parameters<typeof decideNotified>[1]> = {},
): Parameters<typeof decideNotified>[1] => ({
  digestId: digestId(digest),
  deliveryId: deliveryId(digest),
  route: 'default',
  purpose: 'window',
  channel: 'email',
  threadId: digestId(1),
  acceptedAt: at(210),
  reportedResolved: false,
  ...changes,
});

describe('an acceptance by a channel', () => {
  test('makes the alert notified and starts the escalation clock at the accept', () => {
    const before = given(opened(), batched(1));
    const decision = decideNotified(before, acceptance(1), at(211));
    const after = follows(before, decision, 'AlertNotified');
    expect(after).toMatchObject({
      state: 'notified',
      notifiedAt: at(210),
      told: [{ channel: 'email', at: at(210) }],
    });
    expect(after.batches).toEqual({});
    expect(decision.events.flatMap((event) => effectsOf(before, event, after))).toEqual([
      { type: 'ScheduleEscalation', digestId: digestId(1), route: 'default', level: 1, at: at(240) },
    ]);
    refused(decideNotified(after, acceptance(1), at(212)), /already recorded/);
  });

  test('of a digest composed before a further failure leaves that failure waiting', () => {
    const first = given(opened(), batched(1));
    const again = follows(first, fails(first, failure()), 'FailureDetected');
    expect(follows(again, decideNotified(again, acceptance(1), at(211)), 'AlertNotified').state).toBe('detected');
    const inNext = evolveAlert(again, batched(2));
    expect(follows(inNext, decideNotified(inNext, acceptance(1), at(211)), 'AlertNotified').state).toBe('batched');
  });

  test('of a digest composed before the recovery owes that channel the resolution', () => {
    const before = given(opened(), batched(1));
    const fine = follows(before, decideSuccess(before, success(), at(188)), 'SuccessDetected', 'AlertResolved');
    const decision = decideNotified(fine, acceptance(1), at(211));
    const after = follows(fine, decision, 'AlertNotified');
    expect(after.pending['default']).toMatchObject({ resolved: true });
    expect(decision.events.flatMap((event) => effectsOf(fine, event, after))).toMatchObject([
      { type: 'JoinDigest', route: 'default' },
    ]);
  });

  test('(19) of one line "failed and recovered" tells both; no resolution follows', () => {
    const before = given(opened(), batched(1));
    const fine = follows(before, decideSuccess(before, success(), at(188)), 'SuccessDetected', 'AlertResolved');
    const after = follows(
      fine,
      decideNotified(fine, acceptance(1, { reportedResolved: true }), at(211)),
      'AlertNotified',
    );
    expect(after).toMatchObject({ resolutionToldTo: ['default email'] });
    expect(after.pending).toEqual({});
    expect(after.batches).toEqual({});
    refused(decideNotified(after, acceptance(1, { reportedResolved: true }), at(212)), /already recorded/);
  });

  test('of the resolution is recorded once for each channel', () => {
    const failed = given(told());
    const fine = evolveAlert(
      follows(failed, decideSuccess(failed, success(), at(230)), 'SuccessDetected', 'AlertResolved'),
      batched(2),
    );
    const resolution = acceptance(2, { reportedResolved: true });
    const after = follows(fine, decideNotified(fine, resolution, at(245)), 'ResolutionNotified');
    expect(after).toMatchObject({ state: 'resolved', resolutionToldTo: ['default email'] });
    expect(after.batches).toEqual({});
    refused(decideNotified(after, resolution, at(246)), /already recorded/);
  });

  test('of the resolution leaves no news for digests that would only say it again', () => {
    const first = given(opened(), batched(1));
    const second = evolveAlert(follows(first, fails(first, failure()), 'FailureDetected'), batched(2));
    const fine = follows(second, decideSuccess(second, success(), at(208)), 'SuccessDetected', 'AlertResolved');
    // Both failures were under way when it was resolved, and each acceptance puts the resolution into a digest.
    const one = evolveAlert(follows(fine, decideNotified(fine, acceptance(1), at(211)), 'AlertNotified'), batched(3));
    const two = evolveAlert(follows(one, decideNotified(one, acceptance(2), at(212)), 'AlertNotified'), batched(4));
    expect(Object.keys(two.batches)).toEqual([digestId(3), digestId(4)]);
    const resolution = acceptance(3, { reportedResolved: true });
    const after = follows(two, decideNotified(two, resolution, at(220)), 'ResolutionNotified');
    expect(after).toMatchObject({ resolutionToldTo: ['default email'] });
    expect(after.pending).toEqual({});
    expect(after.batches).toEqual({});
    refused(decideNotified(after, acceptance(4, { reportedResolved: true }), at(221)), /already recorded/);
  });
});

describe('a channel that gives up', () => {
  const lost = (fallback: string | null, final: boolean) => ({
    digestId: digestId(1),
    deliveryId: deliveryId(1),
    route: 'default',
    channel: 'email',
    reason: 'bad-address',
    fallback,
    final,
  });

  test('leaves the news in its digest while another channel takes over', () => {
    const state = given(opened(), batched(1));
    const after = follows(state, decideNotificationFailed(state, lost('slack', false), at(200)), 'NotificationFailed');
    expect(after).toMatchObject({ state: 'batched', failedDeliveries: 0 });
  });

  test('without another puts the news back to wait for the next digest, together with newer news', () => {
    const first = given(opened(), batched(1));
    const state = follows(first, fails(first, failure({ failedAt: at(190) })), 'FailureDetected');
    const after = follows(state, decideNotificationFailed(state, lost(null, true), at(200)), 'NotificationFailed');
    expect(after).toMatchObject({
      state: 'detected',
      failedDeliveries: 1,
      pending: { default: { failures: 2, opened: true } },
    });
    expect(after.batches).toEqual({});
  });

  test('while another message of the digest may still tell it leaves the news where it is', () => {
    const state = given(opened(), batched(1));
    const after = follows(state, decideNotificationFailed(state, lost(null, false), at(200)), 'NotificationFailed');
    expect(after).toMatchObject({ state: 'batched', failedDeliveries: 0 });
    expect(after.pending).toEqual({});
  });

  test('after another channel told the same digest puts nothing back', () => {
    const state = given(told());
    refused(decideNotificationFailed(state, lost(null, true), at(200)), /no news/);
  });
});

describe('escalation', () => {
  const due = { route: 'default', level: 1 };

  test('(13) tells the next level when nobody acknowledged in time, once', () => {
    const state = given(told());
    const decision = decideEscalate(state, due, at(240));
    const after = follows(state, decision, 'AlertEscalated');
    expect(after).toMatchObject({ state: 'notified', escalationLevel: 1, escalatedAt: at(240) });
    expect(decision.events.flatMap((event) => effectsOf(state, event, after))).toEqual([
      {
        type: 'JoinDigest',
        alertId: alertId(1),
        route: 'default',
        purpose: 'escalation',
        windowMs: 0,
        channels: ['pager'],
        fallback: ['slack'],
        source: 'apple',
        opened: false,
        resolved: false,
        quietHours: [],
        breaksThrough: false,
        ofStorm: false,
      },
    ]);
    refused(decideEscalate(after, due, at(241)), /told before/);
  });

  test('(13) tells nobody after an acknowledgement, after the resolution, or on a route without escalation', () => {
    const state = given(told());
    const held = follows(state, decideAcknowledge(state, acknowledge(), at(220)), 'AlertAcknowledged');
    refused(decideEscalate(held, due, at(240)), 'it is acknowledged by ann');
    const closed = follows(state, decideResolve(state, { by: 'ann', note: null }, at(220)), 'AlertResolved');
    refused(decideEscalate(closed, due, at(240)), 'it is resolved');
    refused(decideEscalate(state, { route: 'other', level: 1 }, at(240)), /no escalation/);
  });

  test('waits for the clock that started last: the timer of a telling before an acknowledgement does not count', () => {
    const state = given(told());
    const since = Date.parse(state.unansweredSince ?? '');
    const early = new Date(since + (state.routes[0]?.escalation?.levels[0]?.afterMs ?? 0) - 1).toISOString();
    refused(decideEscalate(state, due, early), /its clock runs until/);
    const held = follows(state, decideAcknowledge(state, acknowledge(), at(220)), 'AlertAcknowledged');
    expect(held.unansweredSince).toBeNull();
  });

  test('begins anew when somebody gives the alert back', () => {
    const state = given(told());
    const held = follows(state, decideAcknowledge(state, acknowledge(), at(220)), 'AlertAcknowledged');
    const decision = decideUnacknowledge(held, 'ann', at(230));
    const back = follows(held, decision, 'AlertUnacknowledged');
    const afterMs = back.routes[0]?.escalation?.levels[0]?.afterMs ?? 0;
    expect(decision.events.flatMap((event) => effectsOf(held, event, back))).toEqual([
      {
        type: 'ScheduleEscalation',
        digestId: digestId(1),
        route: 'default',
        level: 1,
        at: new Date(Date.parse(at(230)) + afterMs).toISOString(),
      },
    ]);
  });

  test('climbs anew when an acknowledgement ended', () => {
    const state = given(told());
    const climbed = follows(state, decideEscalate(state, due, at(240)), 'AlertEscalated');
    const held = follows(climbed, decideAcknowledge(climbed, acknowledge(), at(241)), 'AlertAcknowledged');
    expect(held.escalationLevel).toBe(0);
  });
});

describe('an acknowledgement', () => {
  test('(18) by two people at the same second is one event; the second is told who was first', () => {
    const state = given(told());
    const held = follows(state, decideAcknowledge(state, acknowledge(), at(220)), 'AlertAcknowledged');
    refused(decideAcknowledge(held, acknowledge({ until: 'success' }, 'bob'), at(220)), 'already acknowledged by ann');
  });

  test('(14) until a time is refused for the past, asks for a timer, and ends at that time: told once, naming whose', () => {
    const state = given(told());
    const nine = at(540);
    refused(decideAcknowledge(state, acknowledge({ until: 'time', at: at(219) }), at(220)), /in the past/);
    const decision = decideAcknowledge(state, acknowledge({ until: 'time', at: nine }), at(220));
    const held = follows(state, decision, 'AlertAcknowledged');
    expect(decision.events.flatMap((event) => effectsOf(state, event, held))).toEqual([
      { type: 'ScheduleLapse', alertId: alertId(1), at: nine },
    ]);
    refused(decideLapse(held, at(539)), `the acknowledgement holds until ${nine}`);
    const lapse = decideLapse(held, nine);
    const lapsed = follows(held, lapse, 'AcknowledgementLapsed');
    expect(lapsed).toMatchObject({
      state: 'detected',
      acknowledgement: null,
      pending: { default: { lapse: { by: 'ann', reason: 'time' } } },
    });
    expect(lapse.events.flatMap((event) => effectsOf(held, event, lapsed))).toMatchObject([
      { purpose: 'lapse', windowMs: 0 },
    ]);
    refused(decideLapse(lapsed, nine), /not acknowledged/);
  });

  test('(14) until success keeps quiet about further failures, and the resolution is told', () => {
    const state = given(told());
    const held = follows(
      state,
      decideAcknowledge(state, acknowledge({ until: 'success' }), at(220)),
      'AlertAcknowledged',
    );
    const decision = fails(held, failure({ failedAt: at(221), error: 'quite another cause' }));
    const again = follows(held, decision, 'FailureDetected');
    expect(again.state).toBe('acknowledged');
    expect(decision.events.flatMap((event) => effectsOf(held, event, again))).toEqual([]);
    const success221 = decideSuccess(again, success({ finishedAt: at(222) }), at(222));
    const fine = follows(again, success221, 'SuccessDetected', 'AlertResolved');
    expect(fine.pending['default']).toMatchObject({ resolved: true, failures: 1 });
  });

  test('(15) until the signature changes ends with a new cause, and only then', () => {
    const state = given(told());
    const held = follows(state, decideAcknowledge(state, acknowledge(), at(220)), 'AlertAcknowledged');
    const same = follows(
      held,
      fails(held, failure({ failedAt: at(221), error: 'HTTP 503 from the source' })),
      'FailureDetected',
    );
    expect(same.state).toBe('acknowledged');
    const changed = follows(
      same,
      fails(same, failure({ failedAt: at(222), error: 'KeyError: title' })),
      'FailureDetected',
      'AcknowledgementLapsed',
    );
    expect(changed).toMatchObject({
      state: 'detected',
      acknowledgement: null,
      pending: { default: { failures: 2, lapse: { by: 'ann', reason: 'signature-change' } } },
    });
  });

  test('can be given back, once', () => {
    const state = given(told());
    const held = follows(state, decideAcknowledge(state, acknowledge(), at(220)), 'AlertAcknowledged');
    const free = follows(held, decideUnacknowledge(held, 'ann', at(230)), 'AlertUnacknowledged');
    expect(free.state).toBe('notified');
    refused(decideUnacknowledge(free, 'ann', at(231)), /not acknowledged/);
  });

  test('of a resolved alert is refused, and so are its lapse and its return', () => {
    const state = given(told());
    const held = follows(
      state,
      decideAcknowledge(state, acknowledge({ until: 'time', at: at(540) }), at(220)),
      'AlertAcknowledged',
    );
    const closed = follows(held, decideResolve(held, { by: 'bob', note: 'gone' }, at(230)), 'AlertResolved');
    refused(decideAcknowledge(closed, acknowledge(), at(231)), /already resolved/);
    refused(decideLapse(closed, at(600)), /already resolved/);
    refused(decideUnacknowledge(closed, 'ann', at(600)), /already resolved/);
  });
});

test('an operator closes an alert once, and is named', () => {
  const state = given(told());
  const closed = follows(state, decideResolve(state, { by: 'bob', note: 'row deleted' }, at(230)), 'AlertResolved');
  expect(closed.resolution).toEqual({ reason: 'operator', resolvedAt: at(230), by: 'bob', note: 'row deleted' });
  refused(decideResolve(closed, { by: 'bob', note: null }, at(231)), /already resolved/);
});

test('a notice of an alert in two channels is told of once for each', () => {
  const state = given(opened(), batched(1), notified(1));
  const both = follows(
    state,
    decideNotified(state, acceptance(1, { channel: 'slack', deliveryId: deliveryId(2) }), at(211)),
    'AlertNotified',
  );
  expect(both.told.map((entry) => entry.channel)).toEqual(['email', 'slack']);
});
