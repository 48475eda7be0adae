import { describe, expect, test } from 'vitest';
import {
  at,
  batched,
  deliveryId,
  digestId,
  failure,
  fails,
  follows,
  given,
  notified,
  opened,
  refused,
  silence,
  success,
  told,
} from '../fixtures/builders.ts';
import { decideAcknowledge, decideLapse } from './decide-acknowledge.ts';
import { decideSilence, decideUnsilence } from './decide-silence.ts';
import { decideNotificationFailed, decideNotified, decideSuccess } from './decide.ts';
import { effectsOf, joins } from './effects.ts';
import { evolveAlert } from './evolve-alert.ts';
import type { AlertState } from './alert-state.ts';
import type { DigestId, Instant } from './ids.ts';

const none: ReadonlySet<DigestId> = new Set();
const muted = (state: AlertState, now: Instant = at(200), open: ReadonlySet<DigestId> = none): AlertState =>
  follows(state, decideSilence(state, silence(1), open, now), 'AlertSilenced');

describe('a silence', () => {
  test('mutes an open alert once, and says whose it is', () => {
    const state = muted(given(told()));
    expect(state).toMatchObject({
      state: 'notified',
      silences: { [silence(1).id]: { by: 'ann', reason: 'moving house', end: { until: 'time', at: at(540) } } },
    });
    refused(decideSilence(state, silence(1), none, at(201)), 'it is already muted by this silence of ann');
  });

  test('takes news out of digests that are not sealed; what is on its way goes on', () => {
    const first = given(opened(), batched(1));
    const both = evolveAlert(follows(first, fails(first, failure()), 'FailureDetected'), batched(2));
    const state = muted(both, at(183), new Set([digestId(2), digestId(8)]));
    expect(Object.keys(state.batches)).toEqual([digestId(1)]);
    expect(state).toMatchObject({ state: 'detected', pending: { default: { failures: 1, opened: false } } });
    const again = follows(state, fails(state, failure()), 'FailureDetected');
    expect(again.pending['default']).toMatchObject({ failures: 2 });
    expect(joins(again)).toEqual([]);
  });

  test('that matches a failure mutes the alert from its opening on', () => {
    const decision = fails(null, failure(), undefined, null, { silences: [silence(1), silence(2), silence(1)] });
    const state = decision.events.reduce<AlertState | null>(evolveAlert, null) as AlertState;
    expect(decision.events.map(({ type }) => type)).toEqual(['FailureDetected', 'AlertSilenced', 'AlertSilenced']);
    expect(joins(state)).toEqual([]);
    expect(fails(state, failure(), undefined, null, { silences: [silence(2)] }).events).toHaveLength(1);
  });

  test('that begins with a failure takes the news out of the digest that is open', () => {
    const before = given(opened(), batched(1));
    const decision = fails(before, failure(), undefined, null, {
      silences: [silence(1)],
      openDigestIds: new Set([digestId(1)]),
    });
    const after = follows(before, decision, 'FailureDetected', 'AlertSilenced');
    expect(after).toMatchObject({ pending: { default: { failures: 2, opened: true } } });
    expect(after.batches).toEqual({});
  });

  test('does not keep a lease from running, but what it ends in is not told', () => {
    const state = given(told());
    const lease = { by: 'bob', via: 'console', lease: { until: 'time' as const, at: at(300) }, note: null };
    const held = muted(follows(state, decideAcknowledge(state, lease, at(199)), 'AlertAcknowledged'));
    expect(held.state).toBe('acknowledged');
    const lapsed = follows(held, decideLapse(held, at(300)), 'AcknowledgementLapsed');
    expect(lapsed).toMatchObject({ state: 'detected', acknowledgement: null });
    expect(joins(lapsed)).toEqual([]);
  });
});

describe('the end of a silence', () => {
  const failedUnder = (): AlertState => {
    const state = muted(given(told()));
    return follows(state, fails(state, failure({ failedAt: at(220) })), 'FailureDetected');
  };

  test('tells what happened under it, and whose it was', () => {
    const state = failedUnder();
    const decision = decideUnsilence(state, silence(1).id, 'ended', 'bob', at(300));
    const after = follows(state, decision, 'AlertUnsilenced');
    expect(after).toMatchObject({
      pending: { default: { failures: 1, unsilenced: { by: 'ann', reason: 'moving house', endedBy: 'bob' } } },
    });
    expect(after.silences).toEqual({});
    expect(decision.events.flatMap((event) => effectsOf(state, event, after))).toMatchObject([
      { type: 'JoinDigest', purpose: 'window' },
      { type: 'ScheduleEscalation' },
    ]);
    refused(decideUnsilence(after, silence(1).id, 'expired', null, at(540)), 'this silence does not mute it');
  });

  test('tells nothing where nothing happened', () => {
    const state = muted(given(told()));
    const decision = decideUnsilence(state, silence(1).id, 'expired', null, at(540));
    const after = follows(state, decision, 'AlertUnsilenced');
    expect(after).toMatchObject({ state: 'notified' });
    expect(after.pending).toEqual({});
  });

  test('tells of an alert that nobody was ever told of, even where its news was lost on the way', () => {
    const lost = given(told(), {
      type: 'NotificationBounced',
      occurredAt: at(199),
      data: {
        digestId: digestId(1),
        deliveryId: deliveryId(1),
        route: 'default',
        channel: 'email',
        reason: 'bounced',
        fallback: null,
      },
    });
    const state = muted(lost);
    const after = follows(state, decideUnsilence(state, silence(1).id, 'expired', null, at(540)), 'AlertUnsilenced');
    expect(joins(after)).toHaveLength(1);
  });

  test('leaves the alert muted while another goes on, and names the one that ended last', () => {
    const one = failedUnder();
    const two = follows(one, decideSilence(one, silence(2, { by: 'cid' }), none, at(230)), 'AlertSilenced');
    const still = follows(two, decideUnsilence(two, silence(1).id, 'expired', null, at(540)), 'AlertUnsilenced');
    expect(joins(still)).toEqual([]);
    expect(still.pending['default']).toMatchObject({ unsilenced: null });
    const over = follows(still, decideUnsilence(still, silence(2).id, 'ended', 'cid', at(600)), 'AlertUnsilenced');
    expect(over.pending['default']).toMatchObject({ unsilenced: { by: 'cid', endedBy: 'cid' } });
  });

  test('while somebody holds the alert leaves its news waiting for the end of the lease', () => {
    const state = failedUnder();
    const lease = { by: 'bob', via: 'console', lease: { until: 'success' as const }, note: null };
    const held = follows(state, decideAcknowledge(state, lease, at(230)), 'AlertAcknowledged');
    const decision = decideUnsilence(held, silence(1).id, 'expired', null, at(540));
    const after = follows(held, decision, 'AlertUnsilenced');
    expect(decision.events.flatMap((event) => effectsOf(held, event, after))).toEqual([]);
    expect(after).toMatchObject({ state: 'acknowledged', pending: { default: { unsilenced: { by: 'ann' } } } });
  });
});

describe('the recovery of a silenced alert', () => {
  const fine = (state: AlertState): AlertState =>
    follows(state, decideSuccess(state, success({ finishedAt: at(400) }), at(401)), 'SuccessDetected', 'AlertResolved');

  test('(20) is told to those who were told of the failure, with what happened under the silence', () => {
    const state = muted(given(told()));
    const again = follows(state, fails(state, failure({ failedAt: at(220) })), 'FailureDetected');
    const resolved = fine(again);
    expect(joins(resolved)).toMatchObject([{ route: 'default', resolved: true }]);
    expect(resolved.pending['default']).toMatchObject({ failures: 1, resolved: true });
  });

  test('is told to nobody where nobody knows of the failure: it is on record', () => {
    const resolved = fine(muted(given(opened(), batched(1)), at(183), new Set([digestId(1)])));
    expect(resolved).toMatchObject({ next: { action: 'none', at: null } });
    expect(resolved.pending).toEqual({});
    expect(resolved.batches).toEqual({});
    refused(decideUnsilence(resolved, silence(1).id, 'expired', null, at(540)), 'the alert is already resolved');
    refused(decideSilence(resolved, silence(2), none, at(540)), 'the alert is already resolved');
  });

  test('is told where the failure was on its way when the silence began', () => {
    const resolved = fine(muted(given(opened(), batched(1)), at(198)));
    const late = notified(1).data as Parameters<typeof decideNotified>[1];
    const after = follows(resolved, decideNotified(resolved, late, at(402)), 'AlertNotified');
    expect(joins(after)).toMatchObject([{ route: 'default', resolved: true }]);
  });

  test('does not bring news back that no channel took', () => {
    const resolved = fine(muted(given(opened(), batched(1)), at(198)));
    const lost = {
      digestId: digestId(1),
      deliveryId: deliveryId(1),
      route: 'default',
      channel: 'email',
      reason: 'bad-address',
      fallback: null,
      final: true,
    };
    const after = follows(resolved, decideNotificationFailed(resolved, lost, at(402)), 'NotificationFailed');
    expect(after).toMatchObject({ failedDeliveries: 1 });
    expect(after.pending).toEqual({});
    expect(after.batches).toEqual({});
  });
});
