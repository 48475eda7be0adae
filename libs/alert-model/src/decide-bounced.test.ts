import { describe, expect, test } from 'vitest';
import {
  at,
  batched,
  bounced,
  deliveryId,
  digestId,
  failure,
  fails,
  follows,
  given,
  notified,
  refused,
  success,
  told,
} from '../fixtures/builders.ts';
import { decideBounced } from './decide-bounced.ts';
import { decideSuccess } from './decide.ts';
import { joins } from './effects.ts';
import { evolveAlert } from './evolve-alert.ts';

const back = (changes: Partial<ReturnType<typeof bounced>['data']> = {}) => bounced(1, changes).data;

describe('a message that came back', () => {
  test('has told nobody: the clock that it started stands still', () => {
    const state = given(told());
    const after = follows(state, decideBounced(state, back({ fallback: 'slack' }), at(200)), 'NotificationBounced');
    expect(after).toMatchObject({ told: [], unansweredSince: null, bounces: 1, failedDeliveries: 0 });
    expect(after.next).toEqual({ action: 'wait', at: null });
    const again = evolveAlert(after, notified(1, { channel: 'slack', deliveryId: deliveryId(2), acceptedAt: at(201) }));
    expect(again).toMatchObject({ unansweredSince: at(201), told: [{ channel: 'slack' }] });
  });

  test('where no other channel is left counts as a delivery that no channel took, and is not sent round for ever', () => {
    const state = given(told());
    const after = follows(state, decideBounced(state, back(), at(200)), 'NotificationBounced');
    expect(after).toMatchObject({ bounces: 1, failedDeliveries: 1 });
    expect(after.pending).toEqual({});
    expect(joins(after)).toEqual([]);
  });

  test('changes nothing for those who were told by another one', () => {
    const state = given(told(), notified(1, { channel: 'slack', deliveryId: deliveryId(2), acceptedAt: at(198) }));
    const after = follows(state, decideBounced(state, back(), at(200)), 'NotificationBounced');
    expect(after).toMatchObject({ told: [{ channel: 'slack' }], unansweredSince: at(197) });
  });

  test('is recorded once, and not for a channel that was told by a later one', () => {
    const state = given(told());
    const after = follows(state, decideBounced(state, back(), at(200)), 'NotificationBounced');
    refused(decideBounced(after, back(), at(201)), 'nobody is on record as told by it');
    const again = follows(state, fails(state, failure()), 'FailureDetected');
    const later = given(told(), ...fails(state, failure()).events, batched(2), notified(2));
    expect(again.occurrences).toBe(later.occurrences);
    refused(decideBounced(later, back(), at(201)), 'a later message was accepted there');
  });

  test('after the resolution takes back whom it owes the resolution', () => {
    const state = given(told());
    const fine = follows(
      state,
      decideSuccess(state, success({ finishedAt: at(210) }), at(211)),
      'SuccessDetected',
      'AlertResolved',
    );
    const waiting = follows(fine, decideBounced(fine, back(), at(212)), 'NotificationBounced');
    expect(waiting).toMatchObject({ told: [], next: { action: 'none' } });
    expect(waiting.pending).toEqual({});
    const inDigest = evolveAlert(fine, batched(2));
    const after = follows(inDigest, decideBounced(inDigest, back(), at(212)), 'NotificationBounced');
    expect(after).toMatchObject({ next: { action: 'none' } });
    expect(after.batches).toEqual({});
    expect(Object.keys(inDigest.batches)).toEqual([digestId(2)]);
  });
});
