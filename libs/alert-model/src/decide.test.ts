import { describe, expect, test } from 'vitest';
import { albums, alertId, at, batched, chainPolicy, classified, deliveryId, digestId, failure, fails, given, jobsPolicy, notified, opened, refused, runOf, success, follows, told } from '../fixtures/builders.ts';
import {
  decideAcknowledge,
  decideEscalate,
  decideFailure,
  decideLapse,
  decideNotificationFailed,
  decideNotified,
  decideResolve,
  decideSuccess,
  decideUnacknowledge,
} from './decide.ts';
import { effectsOf } from './effects.ts';
import type { Lease } from './event.ts';
import { evolveAlert } from './evolve-alert.ts';

const acknowledge = (lease: Lease = { until: 'signature-change' }, by = 'ann') => ({ by, via: 'console', lease, note: null });
const acceptance = (digest: number, changes: Partial<Parameters<typeof decideNotified>[1]> = {}): Parameters<typeof decideNotified>[1] => ({
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

describe('a failure', () => {
  test('opens an alert that carries the policy of that moment', () => {
    const signal = failure({ error: 'HTTP 503', notes: ['no finished_at'] });
    const decision = fails(null, signal);
    const state = given(decision.events);
    expect(state).toMatchObject({ state: 'detected', version: 1, occurrences: 1, severity: 'error', key: 'job/apple/refresh_catalog/songs' });
    expect(decision.events[0]).toMatchObject({ data: { opening: { routes: classified(signal).routes, predecessor: null } } });
  });

  test('(3) set back by hand and failing for good again is a new occurrence of the same alert', () => {
    const state = given(told());
    const after = follows(state, fails(state, failure({ failedAt: at(300) })), 'FailureDetected');
    expect(after).toMatchObject({ state: 'detected', occurrences: 2, lastFailedAt: at(300) });
    expect(after.pending['default']).toMatchObject({ failures: 1, opened: false });
  });

  test('(6) of a dead job with attempts 1 of 5 is told like any other', () => {
    const signal = failure({ kind: 'dead', attempts: 1, maxAttempts: 5 });
    const [event] = fails(null, signal).events;
    const state = given(fails(null, signal).events);
    expect(event && effectsOf(null, event, state)).toMatchObject([{ type: 'JoinDigest', route: 'default', purpose: 'window' }]);
  });

  test('of a higher severity raises the alert’s, and of a lower one leaves it', () => {
    const state = given(told());
    const critical = { ...jobsPolicy, rules: [{ name: 'r', match: {}, severity: 'critical' as const }] };
    const raised = follows(state, fails(state, failure(), critical), 'FailureDetected', 'SeverityRaised');
    expect(raised.severity).toBe('critical');
    expect(follows(raised, fails(raised, failure()), 'FailureDetected').severity).toBe('critical');
  });

  test('(21) after the resolution opens a new alert that names its predecessor', () => {
    const predecessor = { alertId: alertId(9), resolvedAt: at(200), recentCount: 2 };
    expect(given(opened(failure(), jobsPolicy, predecessor)).predecessor).toEqual(predecessor);
  });

  test('keeps the facts of the latest failure when an older one is read later', () => {
    const state = given(opened(failure({ run: runOf(1), failedAt: at(400), runContext: { steps: [], learned: [], lastGreenAt: at(50) } }), chainPolicy));
    const after = follows(state, fails(state, failure({ run: runOf(0), failedAt: at(190) }), chainPolicy), 'FailureDetected');
    expect(after).toMatchObject({ firstFailedAt: at(190), lastFailedAt: at(400), lastRun: runOf(1), lastGreenAt: at(50) });
  });
});

describe('a success', () => {
  test('(19) within the window resolves the alert, which still sits in its digest', () => {
    const state = given(opened(), batched(1));
    const after = follows(state, decideSuccess(state, success(), at(188)), 'SuccessDetected', 'AlertResolved');
    expect(after).toMatchObject({ state: 'resolved', resolution: { reason: 'succeeded', resolvedAt: at(187), by: null } });
    expect(after.batches[digestId(1)]).toMatchObject({ batch: { failures: 1, opened: true } });
  });

  test('of a job that was told makes the resolution news for exactly that route', () => {
    const state = given(told());
    const after = follows(state, decideSuccess(state, success(), at(230)), 'SuccessDetected', 'AlertResolved');
    expect(after.pending).toMatchObject({ default: { resolved: true, failures: 0 } });
  });

  test('(11) that finished before the failure, or at the same instant, changes nothing', () => {
    for (const policy of [jobsPolicy, chainPolicy]) {
      const state = given(told(failure({ failedAt: at(182) }), policy));
      refused(decideSuccess(state, success({ finishedAt: at(181) }), at(300)), /before the failure/);
      refused(decideSuccess(state, success({ finishedAt: at(182) }), at(300)), /before the failure/);
    }
  });

  test('of other work is none of its business', () => {
    const state = given(told());
    refused(decideSuccess(state, success(albums), at(300)), /nothing of that name/);
  });

  test('of one target leaves the others owing theirs', () => {
    const policy = { ...jobsPolicy, rules: [{ name: 'r', match: {}, groupBy: ['source', 'jobType'] as const }] };
    const first = given(opened(failure(), policy));
    const both = follows(first, fails(first, failure({ ...albums, failedAt: at(183) }), policy), 'FailureDetected');
    const one = follows(both, decideSuccess(both, success(), at(190)), 'SuccessDetected');
    expect(one.state).toBe('detected');
    expect(follows(one, decideSuccess(one, success(albums), at(190)), 'SuccessDetected', 'AlertResolved').state).toBe('resolved');
  });

  test('is recorded once, however often it is delivered', () => {
    const state = given(opened(failure({ run: runOf(0) }), chainPolicy));
    const signal = success({ run: runOf(0), finishedAt: at(200), ...albums });
    const after = follows(state, decideSuccess(state, signal, at(201)), 'SuccessDetected');
    refused(decideSuccess(after, signal, at(201)), /already recorded/);
  });

  test('of a run too old to be remembered is not recorded again and again', () => {
    let state = given(opened(failure({ run: runOf(0) }), chainPolicy));
    const inRun = (week: number) => success({ run: runOf(week), finishedAt: at(300), ...albums });
    for (let week = 5; week < 25; week += 1) state = follows(state, decideSuccess(state, inRun(week), at(300)), 'SuccessDetected');
    refused(decideSuccess(state, inRun(1), at(300)), /too old/);
    expect(Object.keys(state.successes)).toHaveLength(20);
  });

  test('after the resolution is refused', () => {
    const state = given(told());
    const after = follows(state, decideSuccess(state, success(), at(230)), 'SuccessDetected', 'AlertResolved');
    refused(decideSuccess(after, success({ finishedAt: at(400) }), at(401)), /already resolved/);
  });

  test('(22) is what a row that vanished is not: without one the alert stays open', () => {
    expect(given(told()).state).toBe('notified');
  });

  test.for(['constructor', '__proto__', 'toString', 'hasOwnProperty'])('of a job called %s is followed like any other', (jobType) => {
    const state = given(opened(failure({ jobType, targetId: null })));
    const again = follows(state, fails(state, failure({ jobType, targetId: null, failedAt: at(185) })), 'FailureDetected');
    expect(JSON.parse(JSON.stringify(again))).toEqual(again);
    refused(decideSuccess(again, success({ jobType: 'valueOf', targetId: null }), at(188)), /nothing of that name/);
    follows(again, decideSuccess(again, success({ jobType, targetId: null }), at(188)), 'SuccessDetected', 'AlertResolved');
  });
});

describe('an acceptance by a channel', () => {
  test('makes the alert notified and starts the escalation clock at the accept', () => {
    const before = given(opened(), batched(1));
    const decision = decideNotified(before, acceptance(1), at(211));
    const after = follows(before, decision, 'AlertNotified');
    expect(after).toMatchObject({ state: 'notified', notifiedAt: at(210), told: [{ channel: 'email', at: at(210) }], batches: {} });
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
    expect(decision.events.flatMap((event) => effectsOf(fine, event, after))).toMatchObject([{ type: 'JoinDigest', route: 'default' }]);
  });

  test('(19) of one line "failed and recovered" tells both; no resolution follows', () => {
    const before = given(opened(), batched(1));
    const fine = follows(before, decideSuccess(before, success(), at(188)), 'SuccessDetected', 'AlertResolved');
    const after = follows(fine, decideNotified(fine, acceptance(1, { reportedResolved: true }), at(211)), 'AlertNotified');
    expect(after).toMatchObject({ pending: {}, batches: {}, resolutionToldTo: ['default email'] });
    refused(decideNotified(after, acceptance(1, { reportedResolved: true }), at(212)), /already recorded/);
  });

  test('of the resolution is recorded once for each channel', () => {
    const failed = given(told());
    const fine = evolveAlert(follows(failed, decideSuccess(failed, success(), at(230)), 'SuccessDetected', 'AlertResolved'), batched(2));
    const resolution = acceptance(2, { reportedResolved: true });
    const after = follows(fine, decideNotified(fine, resolution, at(245)), 'ResolutionNotified');
    expect(after).toMatchObject({ state: 'resolved', batches: {}, resolutionToldTo: ['default email'] });
    refused(decideNotified(after, resolution, at(246)), /already recorded/);
  });
});

describe('a channel that gives up', () => {
  const lost = (fallback: string | null) => ({ digestId: digestId(1), deliveryId: deliveryId(1), route: 'default', channel: 'email', reason: 'bad-address', fallback });

  test('leaves the news in its digest while another channel takes over', () => {
    const state = given(opened(), batched(1));
    const after = follows(state, decideNotificationFailed(state, lost('slack'), at(200)), 'NotificationFailed');
    expect(after).toMatchObject({ state: 'batched', failedDeliveries: 0 });
  });

  test('without another puts the news back to wait for the next digest, together with newer news', () => {
    const first = given(opened(), batched(1));
    const state = follows(first, fails(first, failure({ failedAt: at(190) })), 'FailureDetected');
    const after = follows(state, decideNotificationFailed(state, lost(null), at(200)), 'NotificationFailed');
    expect(after).toMatchObject({ state: 'detected', batches: {}, failedDeliveries: 1, pending: { default: { failures: 2, opened: true } } });
  });

  test('after another channel told the same digest puts nothing back', () => {
    const state = given(told());
    refused(decideNotificationFailed(state, lost(null), at(200)), /another channel/);
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
      { type: 'JoinDigest', alertId: alertId(1), route: 'default', purpose: 'escalation', windowMs: 0, channels: ['pager'], fallback: ['slack'] },
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
    expect(decision.events.flatMap((event) => effectsOf(state, event, held))).toEqual([{ type: 'ScheduleLapse', alertId: alertId(1), at: nine }]);
    refused(decideLapse(held, at(539)), `the acknowledgement holds until ${nine}`);
    const lapse = decideLapse(held, nine);
    const lapsed = follows(held, lapse, 'AcknowledgementLapsed');
    expect(lapsed).toMatchObject({ state: 'detected', acknowledgement: null, pending: { default: { lapse: { by: 'ann', reason: 'time' } } } });
    expect(lapse.events.flatMap((event) => effectsOf(held, event, lapsed))).toMatchObject([{ purpose: 'lapse', windowMs: 0 }]);
    refused(decideLapse(lapsed, nine), /not acknowledged/);
  });

  test('(14) until success keeps quiet about further failures, and the resolution is told', () => {
    const state = given(told());
    const held = follows(state, decideAcknowledge(state, acknowledge({ until: 'success' }), at(220)), 'AlertAcknowledged');
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
    const same = follows(held, fails(held, failure({ failedAt: at(221), error: 'HTTP 503 from the source' })), 'FailureDetected');
    expect(same.state).toBe('acknowledged');
    const changed = follows(same, fails(same, failure({ failedAt: at(222), error: 'KeyError: title' })), 'FailureDetected', 'AcknowledgementLapsed');
    expect(changed).toMatchObject({ state: 'detected', acknowledgement: null, pending: { default: { failures: 2, lapse: { by: 'ann', reason: 'signature-change' } } } });
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
    const held = follows(state, decideAcknowledge(state, acknowledge({ until: 'time', at: at(540) }), at(220)), 'AlertAcknowledged');
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
  const both = follows(state, decideNotified(state, acceptance(1, { channel: 'slack', deliveryId: deliveryId(2) }), at(211)), 'AlertNotified');
  expect(both.told.map((entry) => entry.channel)).toEqual(['email', 'slack']);
});

test('a first failure is decided with the identity that was passed in', () => {
  const signal = failure();
  const decision = decideFailure(null, signal, classified(signal), { now: at(183), alertId: alertId(7), predecessor: null });
  expect(given(decision.events).id).toBe(alertId(7));
});
